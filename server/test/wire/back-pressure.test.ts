/** A slow side slows the other one down, and the gateway holds a bounded part of what is between them. */
import { expect, test } from 'vitest'
import { testGateway } from '../test-gateway.ts'
import { dial, rawUpstream, type Wire } from './wire.ts'

const PIECE = Buffer.alloc(65_536, 'x')
/** Far more than the buffers of the kernel on two connections. */
const BODY_BYTES = 96 * 1024 * 1024

interface Pouring {
  sentBytes: number
  readonly done: Promise<void>
}

/** Sends so many bytes as fast as they are taken. */
function pour(wire: Wire, bytes: number): Pouring {
  const pouring = { sentBytes: 0, done: Promise.resolve() }
  const run = async (): Promise<void> => {
    while (pouring.sentBytes < bytes) {
      pouring.sentBytes += PIECE.length
      if (!wire.socket.write(PIECE)) await new Promise<void>((resolve) => wire.socket.once('drain', () => resolve()))
    }
  }
  pouring.done = run()
  return pouring
}

/** An upstream's answer that is longer than anybody keeps. */
async function answerLong(wire: Wire): Promise<void> {
  await wire.message()
  wire.send(`HTTP/1.1 200 OK\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`)
  await pour(wire, BODY_BYTES).done
}

/** Waits until a count stands still. */
async function untilStill(count: () => number): Promise<number> {
  let seen = -1
  while (seen !== count() || seen === 0) {
    seen = count()
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  return seen
}

/** Counts what comes instead of keeping it. */
function countBytes(wire: Wire): { bytes: number } {
  const counted = { bytes: wire.unread.length }
  wire.socket.removeAllListeners('data').on('data', (bytes: Buffer) => (counted.bytes += bytes.length))
  return counted
}

async function untilAll(counted: { bytes: number }): Promise<void> {
  while (counted.bytes < BODY_BYTES) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a client that reads nothing stalls the upstream, and gets every byte once it reads', async () => {
  const upstream = await rawUpstream()
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n')
  const wire = await upstream.next()
  await wire.message()
  wire.send(`HTTP/1.1 200 OK\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`)
  await client.through('\r\n\r\n')
  client.socket.pause()
  const beforeBytes = process.memoryUsage().arrayBuffers
  const pouring = pour(wire, BODY_BYTES)
  expect(await untilStill(() => pouring.sentBytes)).toBeLessThan(BODY_BYTES / 2)
  expect(process.memoryUsage().arrayBuffers - beforeBytes).toBeLessThan(8 * 1024 * 1024)
  const counted = countBytes(client)
  client.socket.resume()
  await pouring.done
  await untilAll(counted)
  expect(await gateway.recorded(1)).toMatchObject([{ status: 200, responseBytes: BODY_BYTES }])
})

test('an upstream that reads nothing stalls the client, and gets every byte once it reads', async () => {
  const upstream = await rawUpstream()
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send(`POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: ${BODY_BYTES}\r\n\r\n`)
  const wire = await upstream.next()
  await wire.through('\r\n\r\n')
  wire.socket.pause()
  const pouring = pour(client, BODY_BYTES)
  expect(await untilStill(() => pouring.sentBytes)).toBeLessThan(BODY_BYTES / 2)
  const counted = countBytes(wire)
  wire.socket.resume()
  await pouring.done
  await untilAll(counted)
  wire.send('HTTP/1.1 204 No Content\r\n\r\n')
  expect((await client.message()).status).toBe(204)
  expect(await gateway.recorded(1)).toMatchObject([{ status: 204, requestBytes: BODY_BYTES }])
})

test('a client that pipelines without reading is stalled too', async () => {
  const upstream = await rawUpstream()
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n')
  await (await upstream.next()).message()
  const pouring = pour(client, BODY_BYTES)
  expect(await untilStill(() => pouring.sentBytes)).toBeLessThan(BODY_BYTES / 2)
})

test('a client that asks on and reads nothing gets no further answers, and all of them once it reads', async () => {
  const answer = `HTTP/1.1 200 OK\r\ncontent-length: 16000\r\n\r\n${'x'.repeat(16_000)}`
  const upstream = await rawUpstream(async (wire) => {
    for (;;) {
      await wire.message()
      wire.send(answer)
    }
  })
  const gateway = await testGateway({ target: upstream.url, document: { gateway: { halfClose: 'answer' } } })
  const client = await dial(gateway.port)
  client.socket.pause()
  const asked = 2_000
  client.send('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n'.repeat(asked))
  client.socket.end()
  expect(await untilStill(() => gateway.records.length)).toBeLessThan(asked / 2)
  const counted = countBytes(client)
  client.socket.resume()
  expect((await gateway.recorded(asked)).every(({ status }) => status === 200)).toBe(true)
  expect(await client.ended).toBe('closed')
  expect(counted.bytes).toBeGreaterThan(asked * 16_000)
})

test('a slow reader of HTTP/1.0 gets every byte before the connection ends', async () => {
  const upstream = await rawUpstream(answerLong)
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send('GET / HTTP/1.0\r\nhost: a.test\r\n\r\n')
  await client.through('\r\n\r\n')
  const counted = countBytes(client)
  client.socket.on('data', () => {
    client.socket.pause()
    setImmediate(() => client.socket.resume())
  })
  await untilAll(counted)
  expect(await client.ended).toBe('closed')
})

test('an answer is not cut when its reader takes longer for the end than a connection lingers', async () => {
  const upstream = await rawUpstream(answerLong)
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send('GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n')
  await client.through('\r\n\r\n')
  const counted = countBytes(client)
  client.socket.on('data', () => {
    client.socket.pause()
    if (gateway.records.length === 0) setImmediate(() => client.socket.resume())
  })
  await gateway.recorded(1)
  // A client that was refused and does not close is dropped when its connection has lingered.
  const other = await dial(gateway.port)
  other.send('no request\r\n\r\n')
  await gateway.recorded(2)
  while (gateway.thread.openConnections > 1) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(counted.bytes).toBeLessThan(BODY_BYTES)
  client.socket.removeAllListeners('data').on('data', (bytes: Buffer) => (counted.bytes += bytes.length))
  client.socket.resume()
  await untilAll(counted)
  expect(await client.ended).toBe('closed')
})
