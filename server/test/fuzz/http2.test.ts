/**
 * Hostile HTTP/2 connections: good frames with something changed, dropped or put in between. Whatever comes, the
 * gateway ends the connection or the stream, logs no fault, and what reaches the upstream is a request that was sent.
 */
import { expect, test } from 'vitest'
import { FrameClient, GET, POST, PREFACE, toRequest, toSettings, toWindow } from '../frame-client.ts'
import { FRAME, toFrame, toReset, toSection } from '../http2-frames.ts'
import { testGateway } from '../test-gateway.ts'
import { Random } from './random.ts'

const seconds = Number(process.env['HEADGATE_FUZZ_SECONDS'] ?? 2)
const firstSeed = Number(process.env['HEADGATE_FUZZ_SEED'] ?? Date.now() % 1_000_000_000)

function toFrameAt(random: Random, i: number): Buffer {
  const id = random.mostly(2 * i + 1, [0, 1, 3, 2, 2 * i + 5])
  const flags = random.mostly(0, [1, 4, 5, 8, 9, 13, 32, 255])
  const bytes = Buffer.from(Array.from({ length: random.below(30) }, () => random.below(256)))
  switch (random.below(9)) {
    case 0:
      return toRequest(id, random.pick([GET, POST]), random.chance(0.6))
    case 1:
      return toFrame(FRAME.data, random.mostly(1, [0, 8, 9]), random.pick([id, Math.max(1, id - 2)]), bytes)
    case 2:
      return toFrame(FRAME.headers, 5, id, Buffer.concat([toSection(GET), bytes]))
    case 3:
      return Buffer.concat([
        toFrame(FRAME.headers, 1, id, toSection(POST).subarray(0, 9)),
        toFrame(9, random.mostly(4, [0]), id, toSection(POST).subarray(9)),
      ])
    case 4:
      return toWindow(random.pick([0, id]), random.mostly(1000, [0, 0x7fff_ffff]))
    case 5:
      return toSettings([random.below(10), random.mostly(random.below(70_000), [0, 0xffff_ffff])])
    case 6:
      return toReset(random.pick([id, 1]), random.below(16))
    case 7:
      return toFrame(random.below(14), flags, id, bytes)
    default:
      return toFrame(FRAME.ping, random.mostly(0, [1]), 0, '12345678')
  }
}

function toConnection(random: Random): Buffer {
  const frames = Array.from({ length: 1 + random.below(12) }, (_, i) => toFrameAt(random, i))
  const bytes = Buffer.concat([
    Buffer.from(random.mostly(PREFACE, [PREFACE.slice(0, 20)], 0.02)),
    toSettings(),
    ...frames,
  ])
  if (random.chance(0.3)) bytes[PREFACE.length + random.below(bytes.length - PREFACE.length)] = random.below(256)
  return random.chance(0.2) ? bytes.subarray(0, PREFACE.length + random.below(bytes.length - PREFACE.length)) : bytes
}

test('no bytes of a client bring a connection that goes wrong further than itself', async () => {
  const gateway = await testGateway()
  const endMs = performance.now() + 1000 * seconds
  let seed = firstSeed
  for (; performance.now() < endMs; seed++) {
    const bytes = toConnection(new Random(seed))
    const cut = new Random(seed).below(bytes.length)
    const client = new FrameClient(gateway.port)
    client.send(bytes.subarray(0, cut))
    await new Promise((resolve) => setImmediate(resolve))
    client.send(bytes.subarray(cut))
    client.socket.end()
    await client.ended
    client.socket.destroy()
    expect(gateway.logged, `HEADGATE_FUZZ_SEED=${seed}`).toEqual([])
  }
  expect(new Set(gateway.seen.map(({ method }) => method))).toEqual(new Set(['GET', 'POST']))
  const client = new FrameClient(gateway.port)
  client.send(PREFACE, toSettings(), toRequest(1))
  await client.answered(1)
  while (gateway.thread.openConnections > 1) await new Promise((resolve) => setImmediate(resolve))
  expect(gateway.thread.state().inFlight).toBe(0)
})
