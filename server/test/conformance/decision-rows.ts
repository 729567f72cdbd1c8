/**
 * What the rows of docs/reference/http.md mean, as bytes: one example each, with what becomes of it. The page says it to
 * people, `decisions.test.ts` holds both against the parser and against a whole gateway.
 */

export interface DecisionRow {
  readonly id: string
  readonly side: 'request' | 'response' | 'path' | 'kept slashes'
  readonly bytes: string
  /** Status of the refusal; with it the message must not be read. */
  readonly refused?: number
  /** What is read, as far as the row is about it. */
  readonly reads?: Readonly<Record<string, unknown>>
  readonly method?: string
}

const crlf = '\r\n'
const host = 'Host: a.example\r\n'
const get = (...lines: string[]): string => ['GET / HTTP/1.1', 'Host: a.example', ...lines, '', ''].join(crlf)
const post = (line: string, body: string): string => get(line).replace('GET', 'POST') + body
const target = (text: string): string => `GET ${text} HTTP/1.1\r\n${host}\r\n`
const chunked = (body: string): string => post('Transfer-Encoding: chunked', body)
const handshake = (...lines: string[]): string => get('Connection: Upgrade', 'Upgrade: websocket', ...lines)
const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
const ok = (...lines: string[]): string => ['HTTP/1.1 200 OK', ...lines, '', ''].join(crlf)
const status = (line: string, ...lines: string[]): string => [`HTTP/1.1 ${line}`, ...lines, '', ''].join(crlf)

const refused = (id: string, bytes: string, code = 400): DecisionRow => ({ id, side: 'request', bytes, refused: code })
const accepted = (id: string, bytes: string, reads: DecisionRow['reads'] = {}): DecisionRow => ({
  id,
  side: 'request',
  bytes,
  reads,
})
const broken = (id: string, bytes: string): DecisionRow => ({ id, side: 'response', bytes, refused: 502 })
const answered = (id: string, bytes: string, reads: DecisionRow['reads'] = {}, method = 'GET'): DecisionRow => ({
  id,
  side: 'response',
  bytes,
  reads,
  method,
})
const refusedPath = (id: string, bytes: string): DecisionRow => ({ id, side: 'path', bytes, refused: 400 })
const repairedPath = (id: string, bytes: string, path: string): DecisionRow => ({
  id,
  side: 'path',
  bytes,
  reads: { path },
})

const lines: DecisionRow[] = [
  refused('bare-lf', `GET / HTTP/1.1\n${host}\r\n`),
  refused('bare-lf-in-fields', get('X: a\nY: b')),
  refused('bare-cr', get('X: a\rY: b')),
  refused('bare-lf-unfinished', 'GET / HTTP/1.1\nHost: a\n\n'),
  accepted('empty-line-before', crlf + get(), { path: '/' }),
  refused('two-empty-lines-before', crlf + crlf + get()),
  refused('old-line-only', 'GET /\r\n\r\n'),
  refused('whitespace-in-line', `GET  / HTTP/1.1\r\n${host}\r\n`),
  refused('tab-in-line', `GET\t/ HTTP/1.1\r\n${host}\r\n`),
  refused('space-after-version', `GET / HTTP/1.1 \r\n${host}\r\n`),
  refused('method-not-token', `G(T / HTTP/1.1\r\n${host}\r\n`),
  refused('method-unknown', `BREW / HTTP/1.1\r\n${host}\r\n`, 501),
  refused('method-lower-case', `get / HTTP/1.1\r\n${host}\r\n`, 501),
  refused('method-connect', 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n', 501),
  refused('method-trace', `TRACE / HTTP/1.1\r\n${host}\r\n`, 501),
  accepted('version-1.0', 'GET / HTTP/1.0\r\n\r\n', { version: '1.0', host: '', keepAlive: false }),
  accepted('version-1.0-keep-alive', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', { keepAlive: false }),
  refused('version-other', `GET / HTTP/1.2\r\n${host}\r\n`, 505),
  refused('version-malformed', `GET / http/1.1\r\n${host}\r\n`),
]

const targets: DecisionRow[] = [
  accepted('origin-form', target('/a?b=c?d'), { path: '/a', query: 'b=c?d', authority: 'a.example' }),
  accepted('absolute-form', target('http://B.example:80/a'), {
    path: '/a',
    authority: 'B.example:80',
    host: 'b.example',
  }),
  accepted('absolute-form-no-path', target('http://b.example?c'), { path: '/', query: 'c', host: 'b.example' }),
  refused('absolute-form-bad-host', 'GET http://b.example/ HTTP/1.1\r\nHost: a b\r\n\r\n'),
  refused('absolute-form-no-host', 'GET http://b.example/ HTTP/1.1\r\n\r\n'),
  refused('userinfo', target('http://user@b.example/')),
  refused('other-scheme', target('ftp://b.example/')),
  refused('authority-form', target('b.example:443')),
  accepted('asterisk-options', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, { path: '*' }),
  refused('asterisk-other', target('*')),
  refused('fragment', target('/a#b')),
  refused('non-ascii', target('/\xe9')),
  refused('control-in-target', target('/a\x01')),
  refused('invalid-percent', target('/a?b=%zz')),
  accepted('unwise-characters', target('/a|b?c[d]="{e}"'), { path: '/a%7Cb', query: 'c%5Bd%5D=%22%7Be%7D%22' }),
  refused('backslash', target('/a\\b')),
]

const paths: DecisionRow[] = [
  repairedPath('unreserved-encoded', '/%61%2Db', '/a-b'),
  repairedPath('hex-lower-case', '/a%c3%a9', '/a%C3%A9'),
  repairedPath('dot-segments', '/a/./b/../c', '/a/c'),
  repairedPath('dot-segments-encoded', '/a/%2e%2e/b', '/b'),
  refusedPath('above-root', '/a/../../b'),
  repairedPath('empty-segments', '/a//b', '/a/b'),
  refusedPath('encoded-slash', '/a%2Fb'),
  { id: 'encoded-slash-kept', side: 'kept slashes', bytes: '/a%2fb', reads: { path: '/a%2Fb' } },
  { id: 'encoded-slash-hides-dots', side: 'kept slashes', bytes: '/a/..%2Fb', refused: 400 },
  refusedPath('encoded-backslash', '/a%5Cb'),
  refusedPath('encoded-control', '/a%00b'),
  refusedPath('double-encoding', '/%252e%252e/b'),
  refusedPath('not-utf8', '/%c0%af'),
  repairedPath('path-parameters', '/a;b=c/d', '/a;b=c/d'),
  refusedPath('dots-with-parameters', '/a/..;/b'),
  refusedPath('only-parameters', '/;x/b'),
]

const hosts: DecisionRow[] = [
  refused('host-missing', 'GET / HTTP/1.1\r\n\r\n'),
  refused('host-repeated', get('Host: a.example')),
  refused('host-empty', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'),
  refused('host-list', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'),
  refused('host-sub-delims', 'GET / HTTP/1.1\r\nHost: a=b\r\n\r\n'),
  refused('host-percent', 'GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n'),
  refused('host-port', 'GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n'),
  refused('host-empty-port', 'GET / HTTP/1.1\r\nHost: a:\r\n\r\n'),
  accepted('host-address', 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', { host: '[::1]' }),
  refused('host-bad-address', 'GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n'),
  accepted('host-case', 'GET / HTTP/1.1\r\nHost: A.Example\r\n\r\n', { host: 'a.example', authority: 'A.Example' }),
  accepted('host-dot', 'GET / HTTP/1.1\r\nHost: a.example.\r\n\r\n', { host: 'a.example' }),
]

const fields: DecisionRow[] = [
  refused('space-before-colon', get('X : a')),
  refused('no-colon', get('X')),
  refused('empty-name', get(': a')),
  refused('name-not-token', get('X@: a')),
  refused('name-space', get('X Y: a')),
  refused('folded', get('X: a', ' b')),
  refused('space-first', `GET / HTTP/1.1\r\n ${host}\r\n`),
  refused('nul-in-value', get('X: a\0b')),
  refused('control-in-value', get('X: a\x0bb')),
  accepted('obs-text', get('X: \xe9'), { fields: [['x', '\xe9']] }),
  accepted('value-whitespace', get('X: \t a b \t'), { fields: [['x', 'a b']] }),
  accepted('value-empty', get('X:'), { fields: [['x', '']] }),
  refused('disguised-name', get('Content_Length: 5')),
  accepted('underscore', get('api_key: a'), { fields: [['api_key', 'a']] }),
  refused('repeated-single', get('Authorization: a', 'Authorization: b')),
  refused('expect-other', get('Expect: wonders'), 417),
  accepted('expect-continue', post('Expect: 100-continue\r\nContent-Length: 5', 'hello'), {
    expectContinue: true,
    body: 'hello',
  }),
  accepted('expect-without-body', get('Expect: 100-continue'), { expectContinue: false }),
  accepted('expect-1.0', 'GET / HTTP/1.0\r\nExpect: wonders\r\n\r\n', { expectContinue: false }),
]

const connections: DecisionRow[] = [
  accepted(
    'hop-by-hop',
    get('Keep-Alive: 5', 'TE: trailers', 'Proxy-Authorization: x', 'Proxy-Connection: keep-alive'),
    {
      fields: [],
      acceptsTrailers: true,
      keepAlive: true,
    },
  ),
  accepted('close', get('Connection: Close'), { keepAlive: false }),
  accepted('proxy-connection-close', get('Proxy-Connection: close'), { keepAlive: false }),
  accepted('nominated', get('Connection: X-Mine', 'X-Mine: a'), { fields: [] }),
  refused('nominated-end-to-end', get('Connection: Authorization', 'Authorization: a')),
  accepted('empty-elements', get('Connection: , close,,'), { keepAlive: false }),
  refused('option-not-token', get('Connection: a b')),
  refused('too-many-options', get(`Connection: ${Array.from({ length: 40 }, (_, i) => `x${i}`).join()}`)),
  accepted('websocket', handshake(key, 'Sec-WebSocket-Version: 13'), { upgrade: 'websocket' }),
  accepted('websocket-not-nominated', get('Upgrade: websocket', key, 'Sec-WebSocket-Version: 13'), {
    upgrade: undefined,
  }),
  refused('websocket-key', handshake('Sec-WebSocket-Key: short', 'Sec-WebSocket-Version: 13')),
  refused('websocket-keys', handshake(key, key, 'Sec-WebSocket-Version: 13')),
  refused('websocket-version', handshake(key, 'Sec-WebSocket-Version: 8'), 426),
  refused('websocket-body', handshake(key, 'Sec-WebSocket-Version: 13', 'Content-Length: 5')),
  refused('websocket-post', handshake(key, 'Sec-WebSocket-Version: 13').replace('GET', 'POST')),
  accepted('upgrade-h2c', get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMA'), {
    fields: [],
    upgrade: undefined,
  }),
]

const lengths: DecisionRow[] = [
  accepted('length', post('Content-Length: 5', 'hello'), { body: 'hello', bodyBytes: 5 }),
  accepted('length-zeroes', post('Content-Length: 005', 'hello'), { body: 'hello', bodyBytes: 5 }),
  accepted('get-with-body', get('Content-Length: 5') + 'hello', { body: 'hello' }),
  accepted('no-length', get().replace('GET', 'POST'), { bodyBytes: 0 }),
  refused('length-repeated', post('Content-Length: 5\r\nContent-Length: 5', 'hello')),
  refused('length-conflicting', post('Content-Length: 5\r\nContent-Length: 6', 'hello')),
  refused('length-list', post('Content-Length: 5, 5', 'hello')),
  refused('length-sign', post('Content-Length: +5', 'hello')),
  refused('length-hex', post('Content-Length: 0x5', 'hello')),
  refused('length-space', post('Content-Length: 5 0', 'hello')),
  refused('length-empty', post('Content-Length:', 'hello')),
  refused('length-overflow', post('Content-Length: 9007199254740992', 'hello')),
  refused('length-and-coding', post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n')),
  accepted('chunked', chunked('5\r\nhello\r\n0\r\n\r\n'), { body: 'hello' }),
  refused('coding-identity', post('Transfer-Encoding: identity', '')),
  refused('coding-not-last', post('Transfer-Encoding: chunked, gzip', '')),
  refused('coding-twice', post('Transfer-Encoding: chunked, chunked', '')),
  refused('coding-repeated', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '')),
  refused('coding-empty', post('Transfer-Encoding:', '')),
  refused('coding-parameter', post('Transfer-Encoding: chunked;a=b', '')),
  refused('coding-padded', post('Transfer-Encoding: chunked\t', '0\r\n\r\n')),
  refused('coding-disguised', post('Transfer-Encoding: xchunked', '')),
  refused('coding-unknown', post('Transfer-Encoding: gzip, chunked', ''), 501),
  refused('coding-1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
]

const chunks: DecisionRow[] = [
  refused('chunk-size-empty', chunked('\r\nhello\r\n')),
  refused('chunk-size-hex', chunked('0x5\r\nhello\r\n')),
  refused('chunk-size-sign', chunked('+5\r\nhello\r\n')),
  refused('chunk-size-space', chunked('5 \r\nhello\r\n')),
  refused('chunk-size-overflow', chunked('ffffffffffffff\r\n')),
  accepted('chunk-size-zeroes', chunked('0005\r\nhello\r\n000\r\n\r\n'), { body: 'hello' }),
  refused('chunk-line-lf', chunked('5\nhello\r\n0\r\n\r\n')),
  refused('chunk-data-end', chunked('5\r\nhelloX\r\n0\r\n\r\n')),
  refused('chunk-data-lf', chunked('5\r\nhello\n0\r\n\r\n')),
  accepted('chunk-extension', chunked('5;a=b;c="d\\"e"\r\nhello\r\n0\r\n\r\n'), { body: 'hello' }),
  refused('chunk-extension-space', chunked('5; a=b\r\nhello\r\n0\r\n\r\n')),
  refused('chunk-extension-empty', chunked('5;\r\nhello\r\n0\r\n\r\n')),
  refused('chunk-extension-quotes', chunked('5;a="b\r\nhello\r\n0\r\n\r\n')),
  refused('chunk-extension-length', chunked(`5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`)),
  accepted('trailers', chunked('0\r\nX-Sum: 1\r\n\r\n'), { trailers: [['x-sum', '1']] }),
  accepted('trailers-dropped', chunked('0\r\nAuthorization: x\r\nX: 1\r\n\r\n'), {
    trailers: [['x', '1']],
    fields: [],
  }),
  refused('trailers-framing', chunked('0\r\nContent-Length: 5\r\n\r\n')),
  refused('trailers-malformed', chunked('0\r\n X: 1\r\n\r\n')),
  refused('trailers-length', chunked(`0\r\nX: ${'a'.repeat(90_000)}\r\n\r\n`)),
]

const limits: DecisionRow[] = [
  refused('head-too-large', get(`X: ${'a'.repeat(70_000)}`), 431),
  refused('too-many-fields', get(...Array.from({ length: 300 }, (_, i) => `x${i}: a`)), 431),
  refused('target-too-long', target(`/${'a'.repeat(20_000)}`), 414),
]

const responses: DecisionRow[] = [
  answered('status', ok('Content-Length: 5') + 'hello', { status: 200, body: 'hello', keepAlive: true }),
  broken('status-line', 'HTTP/1.1  200 OK\r\n\r\n'),
  broken('status-digits', status('20 OK')),
  broken('status-range', status('600 Odd')),
  broken('response-version', 'HTTP/2.0 200 OK\r\n\r\n'),
  broken('response-empty-line', crlf + ok()),
  answered('reason-missing', status('200', 'Content-Length: 0'), { status: 200 }),
  answered('reason-text', status('200 \xe9\ta', 'Content-Length: 0'), { status: 200 }),
  broken('reason-control', status('200 a\x01')),
  answered('until-close', `${ok()}hello`, { body: 'hello', keepAlive: false }),
  answered('response-1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello', {
    body: 'hello',
    keepAlive: false,
  }),
  broken('response-1.0-coding', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
  broken('response-lengths', ok('Content-Length: 5', 'Content-Length: 5')),
  broken('response-length-and-coding', ok('Content-Length: 5', 'Transfer-Encoding: chunked')),
  broken('response-coding', ok('Transfer-Encoding: gzip, chunked')),
  answered(
    'response-head',
    ok('Content-Length: 5'),
    { body: '', bodyBytes: 0, fields: [['content-length', '5']] },
    'HEAD',
  ),
  answered('response-304', status('304 Not Modified', 'Content-Length: 5'), {
    bodyBytes: 0,
    fields: [['content-length', '5']],
  }),
  answered('response-204', status('204 No Content', 'Content-Length: 0'), { bodyBytes: 0, fields: [] }),
  broken('response-204-length', status('204 No Content', 'Content-Length: 5')),
  broken('response-204-coding', status('204 No Content', 'Transfer-Encoding: chunked')),
  answered('response-interim', status('103 Early Hints', 'Link: </a>'), { status: 103, fields: [['link', '</a>']] }),
  broken('response-interim-close', status('103 Early Hints', 'Connection: close')),
  broken('response-101-unasked', status('101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket')),
  broken('response-field', ok('X : a')),
  broken('response-folded', ok('X: a', ' b')),
  answered('response-repeated', ok('Content-Length: 0', 'Content-Type: a', 'Content-Type: b'), {
    fields: [
      ['content-type', 'a'],
      ['content-type', 'b'],
    ],
  }),
  broken('response-nominates', ok('Content-Length: 0', 'Connection: Set-Cookie')),
  broken('response-chunk', `${ok('Transfer-Encoding: chunked')}5 \r\nhello\r\n`),
]

/** All rows, in the order of the page. */
export const decisionRows: readonly DecisionRow[] = [
  ...lines,
  ...targets,
  ...paths,
  ...hosts,
  ...fields,
  ...connections,
  ...lengths,
  ...chunks,
  ...limits,
  ...responses,
]
