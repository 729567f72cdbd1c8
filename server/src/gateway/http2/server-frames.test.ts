import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  FrameClient,
  GET,
  POST,
  PREFACE,
  openFrames,
  openGateway,
  toRequest,
  toSettings,
  toWindow,
} from '../../../test/frame-client.ts'
import { END_HEADERS, END_STREAM, FRAME, toFrame, toReset, toSection } from '../../../test/http2-frames.ts'
import { testGateway, type TestGateway } from '../../../test/test-gateway.ts'

const PROTOCOL_ERROR = 1
const FLOW_CONTROL_ERROR = 3
const STREAM_CLOSED = 5
const FRAME_SIZE_ERROR = 6
const COMPRESSION_ERROR = 9
const ENHANCE_YOUR_CALM = 11
const CONTINUATION = 9
const PRIORITY = 2

/** The gateway is as well as before: a new connection is served. */
const isServing = async (gateway: TestGateway): Promise<void> => {
  const client = openFrames(gateway.port)
  client.send(toRequest(1))
  await client.answered(1)
  expect(gateway.logged).toEqual([])
}

/** A gateway that answers `/own` by itself. */
const toAnswering = (config: object): object => ({
  routes: [
    { name: 'own', match: { path: '/own' }, policies: [{ kind: 'respond', config }] },
    { name: 'all', match: { path: '/*' } },
  ],
})
const OWN = GET.map(([name, value]) => [name, name === ':path' ? '/own' : value] as const)

/** Rows of a table of docs/reference/http.md: what, and the code. */
function toRows(heading: string): string[] {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/reference/http.md'), 'utf8')
  const part = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...part.matchAll(/^\| (.+?) \| ([A-Z_]+) \| RFC .+ \|$/gm)].map(
    ([, what = '', code = '']) => `${what}: ${code}`,
  )
}

const CODES = new Map([
  [PROTOCOL_ERROR, 'PROTOCOL_ERROR'],
  [FLOW_CONTROL_ERROR, 'FLOW_CONTROL_ERROR'],
  [STREAM_CLOSED, 'STREAM_CLOSED'],
  [FRAME_SIZE_ERROR, 'FRAME_SIZE_ERROR'],
  [COMPRESSION_ERROR, 'COMPRESSION_ERROR'],
  [ENHANCE_YOUR_CALM, 'ENHANCE_YOUR_CALM'],
])
const inWords = (cases: readonly [string, number, Buffer[]][]): string[] =>
  cases.map(([what, code]) => `${what}: ${CODES.get(code) ?? ''}`)

describe('a connection is ended with the right error by', () => {
  const padded = (type: number): Buffer => toFrame(type, 8 | END_HEADERS, 1, Buffer.from([9, 1, 2]))
  const cases: [string, number, Buffer[]][] = [
    ['DATA on a stream that never began', PROTOCOL_ERROR, [toFrame(FRAME.data, 0, 1, 'a')]],
    ['DATA on no stream', PROTOCOL_ERROR, [toFrame(FRAME.data, 0, 0, 'a')]],
    ['HEADERS on no stream', PROTOCOL_ERROR, [toRequest(0)]],
    ['a stream with an even number', PROTOCOL_ERROR, [toRequest(2)]],
    ['a reset of a stream that never began', PROTOCOL_ERROR, [toReset(1, 8)]],
    ['a window for a stream that never began', PROTOCOL_ERROR, [toWindow(1, 5)]],
    ['a window that opens by nothing', PROTOCOL_ERROR, [toWindow(0, 0)]],
    ['a window beyond what can be', FLOW_CONTROL_ERROR, [toWindow(0, 0x7fff_ffff)]],
    ['a CONTINUATION of nothing', PROTOCOL_ERROR, [toFrame(CONTINUATION, END_HEADERS, 1, 'a')]],
    [
      'another frame within a header block',
      PROTOCOL_ERROR,
      [toFrame(FRAME.headers, 0, 1), toFrame(FRAME.ping, 0, 0, '12345678')],
    ],
    ['a CONTINUATION on another stream', PROTOCOL_ERROR, [toFrame(FRAME.headers, 0, 1), toFrame(CONTINUATION, 4, 3)]],
    ['HEADERS with more padding than bytes', PROTOCOL_ERROR, [padded(FRAME.headers)]],
    ['DATA with more padding than bytes', PROTOCOL_ERROR, [toRequest(1, POST, false), padded(FRAME.data)]],
    ['a header block that cannot be read', COMPRESSION_ERROR, [toFrame(FRAME.headers, 5, 1, Buffer.from([0xbe]))]],
    ['a push', PROTOCOL_ERROR, [toFrame(5, END_HEADERS, 1, 'abcd')]],
    ['a frame that is too large', FRAME_SIZE_ERROR, [toFrame(FRAME.data, 0, 1, Buffer.alloc(16_385))]],
    ['SETTINGS of half a setting', FRAME_SIZE_ERROR, [toFrame(FRAME.settings, 0, 0, 'abc')]],
    ['SETTINGS that confirm and say something', FRAME_SIZE_ERROR, [toFrame(FRAME.settings, 1, 0, 'abcdef')]],
    ['SETTINGS on a stream', PROTOCOL_ERROR, [toFrame(FRAME.settings, 0, 1)]],
    ['a window setting beyond what can be', FLOW_CONTROL_ERROR, [toSettings([4, 0x8000_0000])]],
    ['a frame size setting beyond what can be', PROTOCOL_ERROR, [toSettings([5, 16_383])]],
    ['a push setting that is no flag', PROTOCOL_ERROR, [toSettings([2, 2])]],
    ['thousands of settings', ENHANCE_YOUR_CALM, [toFrame(FRAME.settings, 0, 0, Buffer.alloc(6 * 40))]],
    ['a PING of another length', FRAME_SIZE_ERROR, [toFrame(FRAME.ping, 0, 0, 'abc')]],
    ['a PING on a stream', PROTOCOL_ERROR, [toFrame(FRAME.ping, 0, 1, '12345678')]],
    ['a reset of another length', FRAME_SIZE_ERROR, [toRequest(1), toFrame(FRAME.reset, 0, 1, 'abc')]],
    ['a GOAWAY on a stream', PROTOCOL_ERROR, [toFrame(FRAME.goaway, 0, 1, '12345678')]],
    ['a stream that goes back in number', STREAM_CLOSED, [toRequest(5), toRequest(3)]],
  ]
  test.each(cases)('%s', async (_, code, sent) => {
    const { gateway, client } = await openGateway()
    client.send(...sent)
    expect(await client.code()).toBe(code)
    await client.ended
    await isServing(gateway)
  })

  test('every row of the reference page, and no other', () => {
    expect(inWords(cases)).toEqual(toRows('Ends the connection'))
  })

  test('a first frame that is no SETTINGS', async () => {
    const gateway = await testGateway()
    const client = new FrameClient(gateway.port)
    client.send(PREFACE, toRequest(1))
    expect(await client.code()).toBe(PROTOCOL_ERROR)
    expect(gateway.seen).toEqual([])
  })

  test('a preface that goes wrong after it began', async () => {
    const gateway = await testGateway()
    const client = new FrameClient(gateway.port)
    client.send(PREFACE.replace('SM', 'XX'))
    expect(await client.code()).toBe(PROTOCOL_ERROR)
    await client.ended
  })
})

describe('one stream is ended with the right error, and the connection goes on, by', () => {
  const bad = (...fields: [string, string][]): Buffer => toRequest(1, [...GET, ...fields])
  const cases: [string, number, Buffer[]][] = [
    ['a name in upper case', PROTOCOL_ERROR, [bad(['X-Upper', 'a'])]],
    ['a line break in a value', PROTOCOL_ERROR, [bad(['x-a', 'b\r\nx-c: d'])]],
    ['a field of connections', PROTOCOL_ERROR, [bad(['connection', 'close'])]],
    ['a coding of HTTP/1.1', PROTOCOL_ERROR, [bad(['transfer-encoding', 'chunked'])]],
    ['TE with more than trailers', PROTOCOL_ERROR, [bad(['te', 'gzip'])]],
    ['a pseudo field of answers', PROTOCOL_ERROR, [bad([':status', '200'])]],
    ['a pseudo field behind a field', PROTOCOL_ERROR, [bad(['x-a', 'b'], [':path', '/'])]],
    ['no path', PROTOCOL_ERROR, [toRequest(1, GET.slice(0, 2))]],
    ['a length without a body', PROTOCOL_ERROR, [bad(['content-length', '5'])]],
    [
      'a body that is longer than its length',
      PROTOCOL_ERROR,
      [toRequest(1, [...POST, ['content-length', '1']], false), toFrame(FRAME.data, 0, 1, 'abc')],
    ],
    [
      'a body that is shorter than its length',
      PROTOCOL_ERROR,
      [toRequest(1, [...POST, ['content-length', '5']], false), toFrame(FRAME.data, 1, 1, 'abc')],
    ],
    [
      'trailers that do not end the stream',
      PROTOCOL_ERROR,
      [toRequest(1, POST, false), toFrame(FRAME.headers, 4, 1, toSection([['x-a', 'b']]))],
    ],
    [
      'trailers with a pseudo field',
      PROTOCOL_ERROR,
      [toRequest(1, POST, false), toFrame(FRAME.headers, 5, 1, toSection([[':path', '/']]))],
    ],
    [
      'trailers about the length',
      PROTOCOL_ERROR,
      [toRequest(1, POST, false), toFrame(FRAME.headers, 5, 1, toSection([['content-length', '0']]))],
    ],
    ['DATA behind its end', STREAM_CLOSED, [toRequest(1), toFrame(FRAME.data, 1, 1, 'a')]],
    ['a second request on it', STREAM_CLOSED, [toRequest(1), toRequest(1)]],
    ['a window of nothing', PROTOCOL_ERROR, [toRequest(1, POST, false), toWindow(1, 0)]],
    ['a window beyond what can be', FLOW_CONTROL_ERROR, [toRequest(1, POST, false), toWindow(1, 0x7fff_ffff)]],
    ['a PRIORITY of another length', FRAME_SIZE_ERROR, [toRequest(1, POST, false), toFrame(PRIORITY, 0, 1, 'abc')]],
    [
      'a stream that depends on itself',
      PROTOCOL_ERROR,
      [toRequest(1, POST, false), toFrame(PRIORITY, 0, 1, Buffer.from([0, 0, 0, 1, 5]))],
    ],
  ]
  test.each(cases)('%s', async (_, code, sent) => {
    const { gateway, client } = await openGateway()
    client.send(...sent)
    expect(await client.code(1)).toBe(code)
    client.send(toRequest(7))
    await client.answered(7)
    expect(gateway.seen.map(({ url, body }) => url + body)).toEqual(['/'])
    expect(gateway.logged).toEqual([])
  })

  test('every row of the reference page, and no other', () => {
    expect(inWords(cases)).toEqual(toRows('Ends the stream'))
  })

  test('what is malformed is answered with a problem before', async () => {
    const { gateway, client } = await openGateway()
    client.send(toRequest(1, [...GET, ['X-Upper', 'a']]))
    const head = await client.until(({ type }) => type === FRAME.headers)
    expect(client.read(head)).toMatchObject({ ':status': '400', 'content-type': 'application/problem+json' })
    const { payload } = await client.answered(1)
    expect(payload.toString()).toContain('RFC 9113 §8.2.1')
    expect((await gateway.recorded(1)).map(({ status }) => status)).toEqual([400])
  })
})

describe('windows', () => {
  test('an answer waits for the window of its stream and then goes on', async () => {
    const { client } = await openGateway({ respond: (_, response) => void response.end('x'.repeat(50)) })
    client.send(toSettings([4, 20]), toRequest(1))
    const first = await client.until(({ type }) => type === FRAME.data)
    expect([first.payload.length, first.flags]).toEqual([20, 0])
    client.send(toWindow(1, 20))
    await client.until(({ type, payload }) => type === FRAME.data && payload !== first.payload)
    client.send(toSettings([4, 30]))
    expect((await client.answered(1)).payload.length).toBe(10)
  })

  test('of the connection are shared, and a stream without one does not hold up the others', async () => {
    const { client } = await openGateway({ respond: (_, response) => void response.end('x'.repeat(100_000)) })
    client.send(toSettings([4, 0x7fff_ffff]), toRequest(1), toRequest(3))
    const sum = (): number =>
      client.frames.reduce((bytes, { type, payload }) => (type === FRAME.data ? bytes + payload.length : bytes), 0)
    while (sum() < 65_535)
      await client.until(({ type }) => type === FRAME.data).then(() => new Promise((resolve) => setImmediate(resolve)))
    client.send(toWindow(0, 1_000_000))
    await Promise.all([client.answered(1), client.answered(3)])
    expect(sum()).toBe(200_000)
  })

  test('more DATA than a window has is an error, of the stream or of the connection', async () => {
    const { client } = await openGateway({ policies: [{ kind: 'fault', config: { delay: { milliseconds: 60_000 } } }] })
    const body = (streamId: number, frames: number): Buffer =>
      Buffer.concat(Array.from({ length: frames }, () => toFrame(FRAME.data, 0, streamId, Buffer.alloc(16_384))))
    client.send(toRequest(1, POST, false), body(1, 65))
    expect(await client.code(1)).toBe(FLOW_CONTROL_ERROR)
  })

  test('padding counts, and is given back at once', async () => {
    const { gateway, client } = await openGateway()
    const padded = Buffer.concat([Buffer.from([255, 97]), Buffer.alloc(255)])
    client.send(
      toRequest(1, POST, false),
      ...Array.from({ length: 10 }, () => toFrame(FRAME.data, 8, 1, padded)),
      toFrame(FRAME.data, END_STREAM, 1),
    )
    await client.answered(1)
    expect(gateway.seen[0]?.body).toBe('a'.repeat(10))
  })
})

describe('a section', () => {
  test('that the client sends again with an unchanged table is read the same, and changed by nobody', async () => {
    const { gateway, client } = await openGateway({
      policies: [{ kind: 'headers', config: { request: { set: { 'x-seen': 'yes' } } } }],
    })
    const insert = Buffer.from([0x40, 3, ...Buffer.from('x-a'), 1, 0x62])
    client.send(toFrame(FRAME.headers, 5, 1, Buffer.concat([toSection(GET), insert])))
    await client.answered(1)
    const again = Buffer.concat([toSection(GET), Buffer.from([0xbe])])
    for (const id of [3, 5, 7]) {
      client.send(toFrame(FRAME.headers, 5, id, again))
      await client.answered(id)
    }
    const change = Buffer.from([0x40, 3, ...Buffer.from('x-c'), 1, 0x64])
    client.send(toFrame(FRAME.headers, 5, 9, Buffer.concat([toSection(GET), change])))
    await client.answered(9)
    client.send(toFrame(FRAME.headers, 5, 11, again))
    await client.answered(11)
    const seen = gateway.seen.map(({ headers }) => [headers['x-a'], headers['x-c'], headers['x-seen']])
    const same = ['b', undefined, 'yes']
    expect(seen).toEqual([same, same, same, same, [undefined, 'd', 'yes'], [undefined, 'd', 'yes']])
  })

  test('is the same however the network cuts it', async () => {
    const { gateway } = await openGateway()
    const trailer = toFrame(FRAME.headers, 5, 1, toSection([['x-sum', '5']]))
    const block = toSection([...POST, ['x-a', 'b']])
    const bytes = Buffer.concat([
      Buffer.from(PREFACE),
      toSettings([3, 10]),
      toFrame(FRAME.headers, 0, 1, block.subarray(0, 20)),
      toFrame(CONTINUATION, 4, 1, block.subarray(20)),
      toFrame(FRAME.data, 8, 1, Buffer.from([2, 104, 101, 108, 108, 111, 0, 0])),
      trailer,
    ])
    for (let cut = 1; cut < bytes.length; cut++) {
      const client = new FrameClient(gateway.port)
      client.socket.setNoDelay(true)
      client.send(bytes.subarray(0, cut))
      await new Promise((resolve) => setImmediate(resolve))
      client.send(bytes.subarray(cut))
      await client.answered(1)
      client.socket.destroy()
    }
    expect(new Set(gateway.seen.map(({ method, headers, body }) => [method, headers['x-a'], body].join()))).toEqual(
      new Set(['POST,b,hello']),
    )
    expect(gateway.seen.length).toBe(bytes.length - 1)
  })

  test('is the same byte by byte', async () => {
    const gateway = await testGateway()
    const client = new FrameClient(gateway.port)
    client.socket.setNoDelay(true)
    for (const byte of Buffer.concat([Buffer.from(PREFACE), toSettings(), toRequest(1)])) {
      client.send(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await client.answered(1)
    expect(gateway.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /'])
  })
})

test('an answer before the request is whole asks the client to stop, without an error', async () => {
  const { client } = await openGateway(toAnswering({ status: 200, body: 'early' }))
  client.send(toRequest(1, OWN, false), toFrame(FRAME.data, 0, 1, 'abc'))
  await client.answered(1)
  expect(await client.code(1)).toBe(0)
  // What was under way is dropped, trailers too.
  client.send(toFrame(FRAME.data, 0, 1, 'def'), toFrame(FRAME.headers, 5, 1, toSection([['x-a', 'b']])), toRequest(3))
  await client.answered(3)
})

test('retiring says so first, serves what comes until the client has heard of it, and then what is under way', async () => {
  const held: (() => void)[] = []
  const { gateway, client } = await openGateway({
    respond: (_, response) => void held.push(() => response.end('late')),
  })
  client.send(toRequest(1))
  while (held.length < 1) await new Promise((resolve) => setImmediate(resolve))
  const drained = gateway.thread.drain(0, 10_000)
  const first = await client.until(({ type }) => type === FRAME.goaway)
  expect(first.payload.readUInt32BE(0)).toBe(0x7fff_ffff)
  client.send(toRequest(3))
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve))
  client.send(toFrame(FRAME.ping, 1, 0, 'farewell'))
  const last = await client.until((frame) => frame.type === FRAME.goaway && frame !== first)
  expect([last.payload.readUInt32BE(0), last.payload.readUInt32BE(4)]).toEqual([3, 0])
  client.send(toRequest(5))
  for (const answer of held) answer()
  await Promise.all([client.answered(1), client.answered(3), client.ended, drained])
  expect(gateway.seen.length).toBe(2)
})
