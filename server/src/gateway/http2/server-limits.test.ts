import { describe, expect, test } from 'vitest'
import {
  FrameClient,
  GET,
  POST,
  PREFACE,
  openGateway,
  toRequest,
  toSettings,
  toWindow,
} from '../../../test/frame-client.ts'
import { FRAME, toFrame, toReset, toSection } from '../../../test/http2-frames.ts'
import { testGateway } from '../../../test/test-gateway.ts'

const REFUSED_STREAM = 7
const ENHANCE_YOUR_CALM = 11
const CONTINUATION = 9
const PRIORITY = 2

/** A gateway that answers `/own` by itself. */
const toAnswering = (config: object): object => ({
  routes: [
    { name: 'own', match: { path: '/own' }, policies: [{ kind: 'respond', config }] },
    { name: 'all', match: { path: '/*' } },
  ],
})
const OWN = GET.map(([name, value]) => [name, name === ':path' ? '/own' : value] as const)

const ofLimits = (limits: object): object => ({ document: { gateway: { limits } } })

describe('what costs us and gives the client nothing is bounded:', () => {
  const flood = (count: number, frame: (i: number) => Buffer): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_, i) => frame(i)))
  const priority = Buffer.from([0, 0, 0, 0, 5])
  const cases: [string, Buffer][] = [
    [
      'requests that are reset at once (rapid reset)',
      flood(300, (i) => Buffer.concat([toRequest(2 * i + 1), toReset(2 * i + 1, 8)])),
    ],
    [
      'requests that make us reset them',
      flood(300, (i) => Buffer.concat([toRequest(2 * i + 1, POST, false), toWindow(2 * i + 1, 0)])),
    ],
    ['requests beyond the streams that are allowed', flood(900, (i) => toRequest(2 * i + 1, GET, false))],
    ['PING', flood(1100, () => toFrame(FRAME.ping, 0, 0, '12345678'))],
    ['SETTINGS', flood(1100, () => toSettings([3, 100]))],
    ['PRIORITY', flood(1100, (i) => toFrame(PRIORITY, 0, 2 * i + 1, priority))],
    ['WINDOW_UPDATE', flood(1100, () => toWindow(0, 1))],
    ['DATA without bytes', toRequestThen(flood(1100, () => toFrame(FRAME.data, 0, 1)))],
    ['frames of unknown types', flood(1100, () => toFrame(0xbb, 0, 0, 'a'))],
    [
      'CONTINUATION frames without an end',
      Buffer.concat([toFrame(FRAME.headers, 0, 1), flood(200, () => toFrame(CONTINUATION, 0, 1, 'a'))]),
    ],
    [
      'a header block without an end',
      Buffer.concat([toFrame(FRAME.headers, 0, 1), flood(3, () => toFrame(CONTINUATION, 0, 1, Buffer.alloc(16_384)))]),
    ],
  ]
  test.each(cases)('%s', async (_, bytes) => {
    const { gateway, client } = await openGateway({ respond: () => undefined })
    client.send(bytes)
    expect(await client.code()).toBe(ENHANCE_YOUR_CALM)
    await client.ended
    expect(gateway.logged).toEqual([])
  })

  test('a long answer whose client opens its windows for each frame is no flood', async () => {
    const { gateway, client } = await openGateway({
      respond: (_, response) => void response.end(Buffer.alloc(30_000_000)),
    })
    client.send(toRequest(1))
    let bytes = 0
    for (let at = 0; bytes < 30_000_000;) {
      await client.until((frame) => client.frames.indexOf(frame, at) >= at)
      for (; at < client.frames.length; at++) {
        const { type, payload } = client.frames[at] ?? { type: -1, payload: Buffer.alloc(0) }
        if (type !== FRAME.data) continue
        bytes += payload.length
        client.send(toWindow(0, payload.length), toWindow(1, payload.length))
      }
    }
    expect((await gateway.recorded(1)).map(({ responseBytes }) => responseBytes)).toEqual([30_000_000])
  })

  test('streams beyond the allowed number are refused, the others served', async () => {
    const held: (() => void)[] = []
    const { client } = await openGateway({ respond: (_, response) => void held.push(() => response.end()) })
    client.send(flood(257, (i) => toRequest(2 * i + 1)))
    expect(await client.code(513)).toBe(REFUSED_STREAM)
    while (held.length < 256) await new Promise((resolve) => setImmediate(resolve))
    for (const answer of held) answer()
    await client.answered(511)
  })

  test('answers that nobody reads: what waits is bounded, and the connection ends', async () => {
    const big = { status: 204, headers: { 'x-big': 'a'.repeat(4_000) } }
    const { gateway, client } = await openGateway(toAnswering(big))
    await client.until(({ type }) => type === FRAME.settings)
    client.socket.pause()
    let sent = 0
    for (; sent < 20_000 && gateway.thread.openConnections > 0; sent++) {
      client.send(toRequest(2 * sent + 1, OWN))
      if (sent % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    // The kernel takes a few megabytes, we keep one, and refusals of the rest are counted like resets.
    expect(gateway.records.length).toBeLessThan(5_000)
    client.socket.resume()
    await client.ended
  })

  test('fields beyond the limits of size and number are answered with 431', async () => {
    const { client } = await openGateway(ofLimits({ maxHeadBytes: 2_000, maxTargetBytes: 500, maxFields: 10 }))
    client.send(toRequest(1, [...GET, ...Array.from({ length: 11 }, (_, i) => [`x-${i}`, 'a'] as const)]))
    const many = await client.until(({ type, streamId }) => type === FRAME.headers && streamId === 1)
    expect(client.read(many)).toMatchObject({ ':status': '431' })
    // Forty references to one entry of the table: small on the wire, and more than the limit when unfolded.
    const insert = Buffer.concat([Buffer.from([0x40, 1, 0x61, 100]), Buffer.alloc(100, 0x62)])
    client.send(toFrame(FRAME.headers, 5, 3, Buffer.concat([toSection(GET), insert, Buffer.alloc(40, 0xbe)])))
    const bomb = await client.until(({ type, streamId }) => type === FRAME.headers && streamId === 3)
    expect(client.read(bomb)).toMatchObject({ ':status': '431' })
    client.send(toFrame(FRAME.headers, 5, 5, Buffer.concat([toSection(GET), Buffer.from([0xbe])])))
    const after = await client.until(({ type, streamId }) => type === FRAME.headers && streamId === 5)
    expect(client.read(after)).toMatchObject({ ':status': '200' })
  })

  test.each([
    ['a preface', PREFACE.slice(0, 10)],
    ['a frame', Buffer.concat([Buffer.from(PREFACE), toSettings(), toRequest(1).subarray(0, 20)])],
    ['a header block', Buffer.concat([Buffer.from(PREFACE), toSettings(), toFrame(FRAME.headers, 0, 1)])],
  ])('%s that does not end in time', async (_, bytes) => {
    const gateway = await testGateway(ofLimits({ headSeconds: 0.1 }))
    const client = new FrameClient(gateway.port)
    client.send(bytes)
    await client.ended
    expect(await client.code()).toBe(ENHANCE_YOUR_CALM)
  })

  test('a connection that does nothing, which is told before it is closed', async () => {
    const { client } = await openGateway(ofLimits({ idleSeconds: 0.2 }))
    const { payload } = await client.until(({ type }) => type === FRAME.goaway)
    expect(payload.toString('hex')).toBe('7fffffff00000000')
    const ping = await client.until(({ type, flags }) => type === FRAME.ping && flags === 0)
    client.send(toFrame(FRAME.ping, 1, 0, ping.payload))
    await client.ended
  })

  test('an answer of which the client takes nothing', async () => {
    const { gateway, client } = await openGateway(ofLimits({ idleSeconds: 0.3 }))
    client.send(toSettings([4, 0]), toRequest(1))
    expect(await client.code(1)).toBe(8)
    expect((await gateway.recorded(1)).map(({ status }) => status)).toEqual([499])
  })
})

function toRequestThen(bytes: Buffer): Buffer {
  return Buffer.concat([toRequest(1, POST, false), bytes])
}
