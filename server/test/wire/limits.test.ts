/** Clients that are slow, idle or stalled are cut off in time, with the right word where one can still be said. */
import { expect, test } from 'vitest'
import { testGateway, type TestGateway } from '../test-gateway.ts'
import { dial, echo, rawUpstream } from './wire.ts'

/** Waits until a connection that sends nothing is closed for it: the time for a head has passed, as the gateway sees it. */
async function headTimePasses(gateway: TestGateway): Promise<void> {
  await (
    await dial(gateway.port)
  ).ended
}

const limited = (limits: object, target?: string): Promise<TestGateway> =>
  testGateway({ document: { gateway: { limits } }, ...(target === undefined ? {} : { target }) })

test('a connection that never sends anything is closed without a word', async () => {
  const gateway = await limited({ headSeconds: 0.5 })
  const client = await dial(gateway.port)
  expect(await client.ended).toBe('closed')
  expect([client.unread, gateway.records]).toEqual(['', []])
})

test('a head that does not end in time is answered with 408, however it trickles in', async () => {
  const gateway = await limited({ headSeconds: 0.5 })
  const client = await dial(gateway.port)
  client.send('GET / HTTP/1.1\r\nhost: a.test\r\n')
  const trickle = setInterval(() => client.send('x-a: b\r\n'), 100)
  const { status, body, fields } = await client.message()
  clearInterval(trickle)
  expect([status, JSON.parse(body).code, fields['connection']]).toEqual([408, 'http.request_timeout', 'close'])
  expect(await client.ended).toBe('closed')
  expect(await gateway.recorded(1)).toMatchObject([{ status: 408, blame: 'caller', problem: 'http.request_timeout' }])
})

test('a kept connection without a request is closed after the idle time', async () => {
  const gateway = await limited({ idleSeconds: 0.5 })
  const client = await dial(gateway.port)
  expect((await client.get('/')).status).toBe(200)
  expect(await client.ended).toBe('closed')
  expect(client.unread).toBe('')
})

test('a body that does not end in time is answered with 408, and what follows is never read as a request', async () => {
  const upstream = await rawUpstream(echo)
  const gateway = await limited({ requestSeconds: 0.5 }, upstream.url)
  const client = await dial(gateway.port)
  client.send('POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 100\r\n\r\nx')
  const { status, body, fields } = await client.message()
  expect([status, JSON.parse(body).code, fields['connection']]).toEqual([408, 'http.request_timeout', 'close'])
  client.send('GET /evil HTTP/1.1\r\nhost: a.test\r\n\r\n')
  expect(await client.ended).toBe('closed')
  expect(upstream.wires).toHaveLength(1)
  expect(await gateway.recorded(1)).toMatchObject([{ status: 408, blame: 'caller', requestBytes: 1 }])
})

test('a body below the slowest rate is answered with 408', async () => {
  const upstream = await rawUpstream(echo)
  const gateway = await limited({ minBodyBytesPerSecond: 1_000 }, upstream.url)
  const client = await dial(gateway.port)
  client.send('POST / HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n')
  const trickle = setInterval(() => client.send('1\r\nx\r\n'), 100)
  const { status } = await client.message()
  clearInterval(trickle)
  expect(status).toBe(408)
  expect(await gateway.recorded(1)).toMatchObject([{ status: 408, blame: 'caller' }])
})

test('once the upstream answers, a body may go on as slowly as it likes', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.through('hello')
    wire.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n')
    await wire.through('0\r\n\r\n')
    wire.send('3\r\nbye\r\n0\r\n\r\n')
  })
  const gateway = await limited({ requestSeconds: 0.5, headSeconds: 1 }, upstream.url)
  const client = await dial(gateway.port)
  client.send('POST / HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n')
  await client.through('hi')
  await headTimePasses(gateway)
  client.send('0\r\n\r\n')
  await client.through('bye\r\n0\r\n\r\n')
  expect((await gateway.recorded(1))[0]?.status).toBe(200)
})

test('an upstream that thinks for long is not the fault of a client that has sent everything', async () => {
  const upstream = await rawUpstream()
  const gateway = await limited({ requestSeconds: 0.3, idleSeconds: 0.3, headSeconds: 1 }, upstream.url)
  const client = await dial(gateway.port)
  client.send('POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 2\r\n\r\nhi')
  const wire = await upstream.next()
  await wire.message()
  await headTimePasses(gateway)
  wire.send('HTTP/1.1 204 No Content\r\n\r\n')
  expect((await client.message()).status).toBe(204)
})

test('a client that takes nothing of its answer is cut off after the idle time, and its upstream is freed', async () => {
  const upstream = await rawUpstream()
  const gateway = await limited({ idleSeconds: 0.5 }, upstream.url)
  const client = await dial(gateway.port)
  client.socket.pause()
  client.send('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n')
  const wire = await upstream.next()
  await wire.message()
  wire.send('HTTP/1.1 200 OK\r\n\r\n')
  wire.pour()
  await wire.ended
  expect(await gateway.recorded(1)).toMatchObject([{ status: 499, blame: 'caller' }])
  expect(gateway.thread.openConnections).toBe(0)
})

test('a client that closes nothing after its last answer is dropped by itself', async () => {
  const gateway = await limited({})
  const client = await dial(gateway.port)
  expect((await client.get('/', 'connection: close\r\n')).status).toBe(200)
  expect(await client.ended).toBe('closed')
  expect(gateway.thread.openConnections).toBe(1)
  while (gateway.thread.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(client.socket.writable).toBe(true)
})
