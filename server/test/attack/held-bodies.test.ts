/** Many clients at once, each within every limit of its own, fill no memory with bodies that wait. */
import { connect } from 'node:http2'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { definePolicy } from '../../src/kernel/policy.ts'
import { testGateway, type TestGateway } from '../test-gateway.ts'
import { dial } from '../wire/wire.ts'

const MIB = 1_048_576

/** Needs the whole body and does nothing with it. */
const reader = definePolicy({
  kind: 'reader',
  title: 'Reader',
  summary: 'Reads bodies.',
  stability: 'stable',
  config: z.strictObject({}),
  examples: [],
  problems: [],
  setup: () => ({ requestBody: { limitBytes: MIB } }),
})

const gatewayWithRoom = (maxHeldBodyBytes: number, policies: readonly object[]): Promise<TestGateway> =>
  testGateway({
    policies,
    definitions: [reader],
    document: { gateway: { limits: { maxHeldBodyBytes } } },
  })

const heldBytes = ({ thread }: TestGateway): number => thread.state().heldBodyBytes

test('bodies that are sent halfway fill the room and no more; who finds it full is asked to come back', async () => {
  const gateway = await gatewayWithRoom(MIB, [{ kind: 'reader' }])
  const clients = await Promise.all(Array.from({ length: 12 }, () => dial(gateway.port)))
  for (const client of clients) {
    client.send('POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 300000\r\n\r\n')
    client.send(Buffer.alloc(200_000, 'x'))
  }
  const { status, fields, body } = await Promise.race(clients.map((client) => client.message()))
  expect([status, fields['retry-after'], JSON.parse(body).code]).toEqual([503, '1', 'gateway.body_room_full'])
  expect(heldBytes(gateway)).toBeLessThanOrEqual(MIB)
  for (const client of clients) client.socket.destroy()
  expect((await gateway.recorded(12)).every(({ status: each }) => each === 499 || each === 503)).toBe(true)
  expect(heldBytes(gateway)).toBe(0)
  expect((await gateway.inject('POST /', { body: 'x'.repeat(200_000) })).status).toBe(200)
  expect(heldBytes(gateway)).toBe(0)
})

test('a few bytes that unpack to many take room for what they unpack to', async () => {
  const gateway = await gatewayWithRoom(MIB, [{ kind: 'reader' }])
  const body = gzipSync(Buffer.alloc(900_000))
  const headers = { 'content-encoding': 'gzip' }
  const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.inject('POST /', { headers, body })))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]))
  expect(heldBytes(gateway)).toBe(0)
})

test('a body that the room could never hold is too large, and coming back is not advised', async () => {
  const gateway = await gatewayWithRoom(65_536, [{ kind: 'reader' }])
  const { status, headers } = await gateway.inject('POST /', { body: 'x'.repeat(100_000) })
  expect([status, headers['retry-after']]).toEqual([413, undefined])
  expect(heldBytes(gateway)).toBe(0)
})

test('what waits on HTTP/2 streams counts, whole windows of them are not taken', async () => {
  const gateway = await gatewayWithRoom(MIB, [{ kind: 'fault', config: { delay: { milliseconds: 500 } } }])
  const session = connect(`http://127.0.0.1:${gateway.port}`)
  onTestFinished(() => session.destroy())
  const statuses = Array.from({ length: 8 }, () => {
    const stream = session.request({ ':method': 'POST', ':path': '/' })
    stream.end(Buffer.alloc(400_000))
    stream.resume()
    return new Promise<unknown>((resolve) => stream.once('response', (fields) => resolve(fields[':status'])))
  })
  const served = (await Promise.all(statuses)).filter((status) => status === 200)
  expect(served).toHaveLength(2)
  expect(heldBytes(gateway)).toBe(0)
})
