/** Bytes of connections for the fuzzer: messages that are mostly right, with the tricks of smugglers, then mutated. */
import type { Random } from './random.ts'

const targets = [
  '/',
  '/a/b?c=d',
  '/a?b?c',
  '*',
  'http://h.example/p',
  'http://h.example',
  'https://h.example:8443?q',
  'HTTP://H/x',
  '//a//b',
  '/a%20b',
  '/a%2',
  '/%zz',
  '/a|b',
  '/a?[x]={y}',
  '/a"b',
  '/a\\b',
  '/a#f',
  'a',
  'h.example:443',
  'http://u@h/',
  '/é',
  '/\x7f',
  '/a\tb',
  '',
]
const hostileLines = [
  'Accept: */*',
  'Accept:*/*',
  'X-Empty:',
  'X-Space:   padded \t ',
  'X-Obs: \xe9\xff',
  'X-Quote: "a, b"',
  'Cookie: a=b; c=d',
  'X:y',
  'Host: h',
  'Host: two.example',
  'Host: a b',
  'Host:',
  'host: [::1]:80',
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: 05',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length: 5 5',
  'Content-Length: 0x5',
  'Content-Length:',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Content-Length : 5',
  'Content_Length: 5',
  'Content-Length\x0b: 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding:',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: chunked;a=b',
  'transfer-encoding: chunked ',
  'Transfer-Encoding: \x0bchunked',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: keep-alive, X',
  'Connection: upgrade',
  'Connection: close, ,',
  'Connection: Transfer-Encoding',
  'Connection: a b',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMA',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Expect: 100-continue',
  'Expect: more',
  'TE: trailers',
  'Keep-Alive: 300',
  'Proxy-Connection: close',
  ': no name',
  ' folded: line',
  '\tfolded: line',
  'no colon',
  'X Y: z',
  'X\xe9: z',
  'X\0Y: z',
  'X: a\0b',
  'X: a\x01b',
  'X: a\x7fb',
  'X: a\rb',
  'X: a\nY: b',
  'X\r: y',
  'GET / HTTP/1.1',
  'X: a\r\n b',
]
const usualLines = [
  'Accept: */*',
  'User-Agent: fuzz/1.0 (a; b)',
  'X-Request-Id: 0123456789abcdef',
  'Cookie: a=b; c=d',
  'Accept-Encoding: gzip, br',
  'X-Empty:',
  'X-Obs: \xe9\xff',
  'x-tab:\ta\tb',
  'Connection: keep-alive',
  'Connection: close',
  'Keep-Alive: 5',
  'TE: trailers',
]
const sizes = [
  '5',
  '005',
  '0',
  '5 ',
  ' 5',
  '+5',
  '-5',
  '0x5',
  '5;a',
  '5;a=b',
  '5;a="b"',
  '5;a="b\\"c"',
  '5;',
  '5;=b',
  '5 ;a',
  '5;a=',
  '5\t',
  '5;a="b',
  '5;a=b;c="d;e"',
  'g',
  '',
  'fffffffffffffffff',
  '0000000000000005',
  '5;a b',
  '5;a="\\x"',
  '5;a="b"c',
  '5;\xe9',
  '5;a="\xe9"',
]
const chunkEnds = ['\r\n', '\n', '\r', '\r\n\r\n', '', ' \r\n', '\r\r\n']
const trailers = [
  '',
  '',
  'X: y\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: b\r\n',
  ' X: y\r\n',
  'X : y\r\n',
  'X: y\n',
  'Vary: *\r\n',
  'X: \x01\r\n',
  'Authorization: x\r\n',
  'Connection: close\r\n',
]
const shards = [
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '"',
  '\\',
  '\x7f',
  '\x80',
  '\xff',
  '%',
  '0',
  '5',
  '-',
  'chunked',
  'HTTP/1.1',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: a\r\n',
  'Connection: close\r\n',
  '0\r\n\r\n',
  'GET / HTTP/1.1\r\n',
  'Upgrade: websocket\r\n',
  '\x0b',
  '\x85',
  '\xa0',
]

function toLine(random: Random): string {
  const line = random.mostly(random.pick(usualLines), hostileLines, 0.15)
  return line + random.mostly('\r\n', ['\n', '\r', '\r\r\n', '\n\r\n'], 0.01)
}

/** A body that fits the framing, mostly. */
function toBody(random: Random, framing: string): string {
  if (framing === 'length') return random.mostly('hello', ['hell', 'hello!', ''], 0.05)
  if (framing !== 'chunked') return random.mostly('', ['hello', '0\r\n\r\n'], 0.05)
  let body = ''
  for (let count = random.below(3); count > 0; count--) {
    const end = (): string => random.mostly('\r\n', chunkEnds, 0.06)
    body += random.mostly('5', sizes, 0.25) + end() + 'hello' + end()
  }
  return (
    body +
    random.mostly('0', ['00', '0;a=b', '0 ', '0;'], 0.1) +
    '\r\n' +
    random.mostly('', trailers, 0.5) +
    random.mostly('\r\n', chunkEnds, 0.05)
  )
}

function toMessage(random: Random, startLine: string, required: string): string {
  const framing = random.pick(required === '' ? ['length', 'chunked', 'none'] : ['none', 'none', 'length', 'chunked'])
  const lines = [required]
  if (framing === 'length') lines.push('Content-Length: 5\r\n')
  if (framing === 'chunked') lines.push('Transfer-Encoding: chunked\r\n')
  for (let count = random.below(4); count > 0; count--) lines.splice(random.below(lines.length + 1), 0, toLine(random))
  return startLine + lines.join('') + '\r\n' + toBody(random, framing)
}

function toRequest(random: Random): string {
  const method = random.mostly('GET', [
    'POST',
    'HEAD',
    'OPTIONS',
    'M-SEARCH',
    'get',
    'CONNECT',
    'TRACE',
    'PRI',
    'SOURCE',
    'G@T',
    '',
    'X'.repeat(40),
  ])
  const version = random.mostly(
    'HTTP/1.1',
    ['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.10', 'HTTP/11', 'HTTP/ 1.1', 'RTSP/1.0', ''],
    0.1,
  )
  const space = random.mostly(' ', ['  ', '\t', ''], 0.03)
  const start = random.mostly('', ['\r\n', '\n', '\r\n\r\n', ' '], 0.05)
  const target = random.mostly('/a?b=c', targets, 0.4)
  return toMessage(
    random,
    `${start}${method}${space}${target}${space}${version}\r\n`,
    random.mostly('Host: h.example\r\n', [''], 0.1),
  )
}

function toResponse(random: Random): string {
  const status = random.mostly('200', [
    '100',
    '101',
    '103',
    '204',
    '304',
    '404',
    '599',
    '600',
    '099',
    '20',
    '2000',
    'abc',
    '',
    '+20',
  ])
  const reason = random.mostly(' OK', ['', ' ', ' \xe9', ' a\tb', ' a\x01b', '  ', '\tOK', ' a\rb'], 0.2)
  const version = random.mostly('HTTP/1.1', ['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'http/1.1', 'ICY', 'HTTP/1.1 '], 0.1)
  const start = random.mostly('', ['\r\n', '\n', ' '], 0.03)
  return toMessage(random, `${start}${version} ${status}${reason}\r\n`, '')
}

function mutate(random: Random, text: string): string {
  let mutated = text
  const counts = random.wildness < 0.2 ? [0, 1, 1, 2] : [0, 0, 0, 1, 2]
  for (let count = random.pick(counts); count > 0; count--) {
    const at = random.below(mutated.length + 1)
    const length = random.pick([0, 0, 1, 1, 2, 8])
    const put = random.mostly(
      random.pick(shards),
      ['', mutated.slice(at, at + 20), String.fromCharCode(random.below(256))],
      0.4,
    )
    mutated = mutated.slice(0, at) + put + mutated.slice(at + length)
  }
  return mutated
}

/** One, or several that differ in their first line alone: fields that were the last ones too are read in a way of their own. */
function toMessages(random: Random, side: 'request' | 'response'): string {
  const create = side === 'request' ? toRequest : toResponse
  const message = create(random)
  const lineEnd = message.indexOf('\r\n')
  if (lineEnd === -1 || !random.chance(0.3)) return message
  let text = message
  for (let more = 2 + random.below(3); more > 0; more--) {
    const other = random.chance(0.5) ? create(random) : message
    text += other.slice(0, Math.max(0, other.indexOf('\r\n'))) + message.slice(lineEnd)
  }
  return text
}

/** What a client or an upstream might send on one connection. */
export function toConnectionBytes(random: Random, side: 'request' | 'response'): Buffer {
  random.wildness = random.pick([0, 0.1, 0.3, 1])
  let text = ''
  for (let count = 1 + random.below(3); count > 0; count--) text += toMessages(random, side)
  return Buffer.from(mutate(random, text), 'latin1')
}

/** The same bytes as a network might deliver them. */
export function toPieces(random: Random, bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  let at = 0
  while (at < bytes.length) {
    const length = random.pick([1, 1, 2, 5, 20, 100, 1000])
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  return pieces
}
