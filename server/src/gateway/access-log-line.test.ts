import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testGateway } from '../../test/test-gateway.ts'
import { testRecord } from '../../test/test-record.ts'
import type { ExchangeRecord } from '../kernel/record.ts'
import { toLogLine, toRouteText } from './access-log-line.ts'
import { parseRequestHead, type RequestHead } from './http1/parse.ts'
import { FieldEntry, isValue } from './http2/field-entry.ts'
import { lastRole, readName } from './http2/field-roles.ts'
import { readRequest } from './http2/request-section.ts'
import { Problem } from '../kernel/problem.ts'
import { toRecord } from './record.ts'
import { toExchange } from './to-exchange.ts'

/** The line as who reads the log gets it. */
function lineOf(record: ExchangeRecord): string {
  const line = toLogLine(record, toRouteText(record.route, record.api))
  const bytes = Buffer.from(line, 'latin1')
  expect(bytes).toHaveLength(line.length)
  return bytes.toString('utf8')
}

test('has what the record says, times in UTC and milliseconds with three digits', () => {
  const record = testRecord({
    durationMs: 1234.0004,
    upstreamMs: 0.0456,
    traceId: 'f'.repeat(32),
    requestBytes: 123_456,
  })
  const line = lineOf(record)
  expect(line.endsWith('}\n')).toBe(true)
  const { timeMs: _timeMs, problem: _problem, blame: _blame, ...facts } = record
  const time = '2026-01-01T00:00:00.000Z'
  expect(JSON.parse(line)).toEqual({ ...facts, time, durationMs: 1234, upstreamMs: 0.046 })
})

test('has its keys in one order, whatever there was', () => {
  const all = testRecord({ traceId: 'f'.repeat(32), problem: 'route.not_found', blame: 'caller' })
  expect(Object.keys(JSON.parse(lineOf(all)))).toEqual(
    `time id traceId ip version method host path route api consumer credential status problem blame durationMs upstream
      target upstreamMs attempts requestBytes responseBytes`.split(/\s+/),
  )
})

test('leaves out what there was not: a route, a caller, an upstream, a trace', () => {
  const none = { route: '', api: '', consumer: '', credential: '', upstream: '', target: '', attempts: 0 }
  const line = JSON.parse(lineOf(testRecord({ ...none, status: 404, problem: 'route.not_found', blame: 'caller' })))
  expect(Object.keys(line)).toEqual(
    'time id ip version method host path status problem blame durationMs requestBytes responseBytes'.split(' '),
  )
  expect(JSON.parse(lineOf(testRecord({ ...none, status: 499, blame: 'caller' })))).toMatchObject({ blame: 'caller' })
})

test('is one line of JSON that gives back every text, whatever a client put into it', () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
      fc.constantFrom('"', '\\', '\n', '\0', '\u2028', '\ud800', '\udfff', 'é', '\u010a', '\u0122'),
    ),
  })
  const some = text.filter((each) => each !== '')
  const texts = fc.record({
    id: fc.stringMatching(/^[\w.:-]{1,128}$/),
    ip: fc.oneof(fc.ipV4(), fc.ipV6()),
    method: fc.constantFrom('GET', 'POST', 'PATCH', ''),
    host: text,
    path: text,
    route: some,
    api: text,
    consumer: some,
    credential: text,
    problem: some,
    upstream: some,
    target: text,
    traceId: fc.stringMatching(/^[\da-f]{32}$/),
  })
  const date = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
  fc.assert(
    fc.property(texts, date, (facts, at) => {
      const line = lineOf(testRecord({ ...facts, timeMs: at.getTime() }))
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(JSON.parse(line)).toMatchObject({ ...facts, time: at.toISOString() })
    }),
  )
})

describe('of a hostile head', () => {
  const limits = { maxHeadBytes: 32_768, maxFields: 100, maxTargetBytes: 8_192 }
  const peer = { ip: '127.0.0.1', port: 1, scheme: 'http', certificate: undefined } as const
  /** What forges lines and fields of JSON, within texts that are mostly taken. */
  const evil = fc.constantFrom(
    '"',
    '\\',
    '","x":"',
    '%22',
    '%0A',
    '\xe9',
    '\xff',
    '%C4%8A',
    '\t',
    '\x7f',
    '{}',
    "'",
    '',
  )
  const plain = fc.constantFrom('a', 'b.c', '-', '_', '~', '1')
  const mixed = fc
    .array(fc.oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: evil }), { maxLength: 6 })
    .map((pieces) => pieces.join(''))
  const hop = fc.oneof(
    fc.constantFrom('192.0.2.7', '::1', 'fe80::1%eth0', '[::1]:9', '"[2001:db8::1]:80"', '192.0.2.7:80'),
    fc.tuple(fc.constantFrom('fe80::1%', '::1', '192.0.2.7'), mixed).map((parts) => parts.join('')),
  )
  const trace = fc.oneof(mixed, fc.constant(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`))
  const heads = fc.record({
    method: fc.oneof(fc.constantFrom('GET', 'OPTIONS', 'M-SEARCH'), mixed),
    target: fc.oneof(
      fc.constant('*'),
      mixed.map((path) => `/${path}`),
      mixed.map((host) => `http://${host}/`),
    ),
    host: fc.oneof(fc.constantFrom('api.test', '[::1]:80', 'A.test.'), mixed),
    id: fc.oneof(fc.constant('req-1'), mixed),
    hop,
    trace,
  })
  type Head = typeof heads extends fc.Arbitrary<infer T> ? T : never

  const toFields = ({ id, hop: address, trace: parent }: Head): [string, string][] => [
    ['x-request-id', id],
    ['x-forwarded-for', address],
    ['traceparent', parent],
  ]

  function parseText(head: Head): RequestHead | Problem {
    const fields = [['host', head.host], ...toFields(head)].map(([name, value]) => `${name}: ${value}\r\n`)
    const bytes = Buffer.from(`${head.method} ${head.target} HTTP/1.1\r\n${fields.join('')}\r\n`, 'latin1')
    return parseRequestHead(bytes, 0, bytes.length, limits)
  }

  function parseSection(head: Head): RequestHead | Problem {
    const { method, target, host } = head
    const pseudo = Object.entries({ ':method': method, ':scheme': 'http', ':path': target, ':authority': host })
    const entries = [...pseudo, ...toFields(head)].map(([name, value]) => {
      const [nameBytes, valueBytes] = [Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1')]
      const known = readName(nameBytes, 0, nameBytes.length)
      return new FieldEntry(known, lastRole, value, isValue(valueBytes, 0, valueBytes.length))
    })
    const section = readRequest(entries, limits)
    return section instanceof Problem ? section : section.head
  }

  test.each([
    ['1.1', parseText],
    ['2', parseSection],
  ] as const)('is one line of JSON that says what was asked, over HTTP/%s', async (version, parse) => {
    const document = { gateway: { trustedProxies: ['127.0.0.0/8'] } }
    const { server } = (await testGateway({ document })).thread
    let taken = 0
    fc.assert(
      fc.property(heads, (hostile) => {
        const head = parse(hostile)
        if (head instanceof Problem) return
        taken++
        const exchange = toExchange(head, version, peer, server, undefined)
        const record = toRecord(exchange, 200, exchange.startedMs + 1)
        const line = lineOf(record)
        expect(line.indexOf('\n')).toBe(line.length - 1)
        const { id, ip, method, host, path, traceId } = record
        expect(JSON.parse(line)).toMatchObject({ id, ip, method, host, path, ...(traceId === '' ? {} : { traceId }) })
      }),
      { numRuns: 1000 },
    )
    expect(taken).toBeGreaterThan(50)
  })
})
