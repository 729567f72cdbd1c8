import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRequestSection } from '../../../test/request-section-oracle.ts'
import { Problem } from '../../kernel/problem.ts'
import { FieldEntry, isValue } from './field-entry.ts'
import { lastRole, readName } from './field-roles.ts'
import type { RequestHead } from '../http1/head.ts'
import { readRequest } from './request-section.ts'

const limits = { maxHeadBytes: 32_768, maxFields: 100, maxTargetBytes: 200 }

function toEntry([name, value]: readonly [string, string]): FieldEntry {
  const nameBytes = Buffer.from(name, 'latin1')
  const valueBytes = Buffer.from(value, 'latin1')
  const known = readName(nameBytes, 0, nameBytes.length)
  return new FieldEntry(known, lastRole, value, isValue(valueBytes, 0, valueBytes.length))
}

/** What both must agree on; the key of a WebSocket is drawn by each for itself. */
function toFacts(head: RequestHead): unknown {
  const { method, path, query, authority, host, upgrade, acceptsTrailers, fields } = head
  const values = fields.values.map((value, i) => (upgrade && fields.names[i] === 'sec-websocket-key' ? '' : value))
  return { method, path, query, authority, host, upgrade, acceptsTrailers, names: fields.names, values }
}

const piece = fc.constantFrom(
  '/',
  'a',
  'B',
  '%',
  '%2',
  '%2F',
  '?',
  '#',
  '\\',
  ' ',
  '*',
  '"',
  '\xe9',
  '..',
  ';',
  '\t',
  '',
)
const path = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('/', '/a?b=c', '*', '', '/a%', '/a%4', '/%41', 'http://a/b', `/${'x'.repeat(250)}`),
  },
  fc.array(piece, { maxLength: 6 }).map((pieces) => `/${pieces.join('')}`),
  fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join('')),
)
const authority = fc.constantFrom(
  'a.test',
  'A.test:80',
  'a.test.',
  'b',
  '',
  'a b',
  '[::1]:8',
  'u@a',
  'a:0',
  'a,b',
  ' a.test',
)
const pseudo = fc.oneof(
  fc.tuple(
    fc.constant(':method'),
    fc.constantFrom('GET', 'POST', 'OPTIONS', 'CONNECT', 'TRACE', 'get', 'G T', '', 'PURGE'),
  ),
  fc.tuple(fc.constant(':scheme'), fc.constantFrom('http', 'https', 'HTTP', 'ftp', '')),
  fc.tuple(fc.constant(':path'), path),
  fc.tuple(fc.constant(':authority'), authority),
  fc.tuple(fc.constant(':protocol'), fc.constantFrom('websocket', 'WebSocket', 'other')),
  fc.tuple(fc.constantFrom(':status', ':', ':Path', ':other'), fc.constant('1')),
)
const value = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'trailers',
    '5',
    '0',
    '05',
    '-1',
    '5, 5',
    '100-continue',
    'chunked',
    'close',
    'websocket',
    '13',
  ),
  fc.constantFrom('a\nb', 'a\rb', '\0', 'a\tb', ' a', 'a ', '\x7f', '\xff', 'a=b; c', 'dGhlIHNhbXBsZSBub25jZQ=='),
)
const name = fc.oneof(
  fc.constantFrom('host', 'cookie', 'te', 'content-length', 'expect', 'connection', 'upgrade', 'transfer-encoding'),
  fc.constantFrom('keep-alive', 'proxy-connection', 'http2-settings', 'proxy-authorization', 'authorization', 'origin'),
  fc.constantFrom(
    'sec-websocket-key',
    'sec-websocket-version',
    'content_length',
    'x_forwarded_for',
    'x_mine',
    'accept',
  ),
  fc.constantFrom('X-Upper', '', 'a b', 'a:b', 'caf\xe9', 'x-acme', 'trailer', 'x\n'),
)
const field = fc.oneof({ weight: 3, arbitrary: fc.tuple(name, value) }, fc.tuple(fc.constant('host'), authority))

const usual: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/a'],
  [':authority', 'a.test'],
]
/** Mostly a good request with a few things changed, since a random one is refused for its first fault. */
const section = fc
  .tuple(fc.array(fc.tuple(fc.nat(5), pseudo), { maxLength: 2 }), fc.array(field, { maxLength: 4 }), fc.nat(30))
  .map(([changes, fields, order]) => {
    const pseudos = [...usual]
    for (const [at, change] of changes) {
      const same = pseudos.findIndex(([each]) => each === change[0])
      if (at < 4 && same !== -1) pseudos[same] = change
      else if (at === 4) pseudos.pop()
      else pseudos.push(change)
    }
    return order === 0 ? [...fields, ...pseudos] : [...pseudos, ...fields]
  })

test('a section is accepted or refused, and read, as its text would be over HTTP/1.1', () => {
  let accepted = 0
  fc.assert(
    fc.property(section, (pairs) => {
      const expected = parseRequestSection(pairs.flat(), limits)
      const actual = readRequest(pairs.map(toEntry), limits)
      if (expected instanceof Problem || actual instanceof Problem) {
        expect(actual instanceof Problem).toBe(expected instanceof Problem)
        return
      }
      accepted++
      expect(toFacts(actual.head)).toEqual(toFacts(expected))
    }),
    { numRuns: 20_000 },
  )
  expect(accepted).toBeGreaterThan(500)
})

test('cookies that came apart are one again, without a space at its end', () => {
  const read = (...cookies: string[]): string | undefined => {
    const request = readRequest([...usual, ...cookies.map((each) => ['cookie', each] as const)].map(toEntry), limits)
    return request instanceof Problem ? 'refused' : request.head.fields.get('cookie')
  }
  expect(read('a=1', 'b=2')).toBe('a=1; b=2')
  expect(read('', 'a=1', '', 'b=2', '')).toBe('a=1; b=2')
  expect(read('', '')).toBeUndefined()
})

test('one that is refused costs no new object', () => {
  const read = (): unknown => readRequest([toEntry([':method', 'GET']), toEntry(['X-Upper', 'a'])], limits)
  expect(read()).toBe(read())
})

test('the target and the number of fields are limited', () => {
  const refusal = (pairs: readonly (readonly [string, string])[]): unknown => {
    const request = readRequest(pairs.map(toEntry), limits)
    return request instanceof Problem ? request.definition.status : request.head.fields.size
  }
  const withPath = (text: string): (readonly [string, string])[] => [
    ...usual.filter(([each]) => each !== ':path'),
    [':path', text],
  ]
  expect(refusal(withPath(`/${'x'.repeat(199)}`))).toBe(0)
  expect(refusal(withPath(`/${'x'.repeat(200)}`))).toBe(414)
  const fields = (count: number): (readonly [string, string])[] =>
    Array.from({ length: count }, (_, i) => [`x-${i}`, 'a'])
  expect(refusal([...usual, ...fields(100)])).toBe(100)
  expect(refusal([...usual, ...fields(101)])).toBe(431)
})
