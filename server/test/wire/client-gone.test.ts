/** Clients that leave or half-close, and what their upstream sees of it. */
import { setTimeout } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { testGateway } from '../test-gateway.ts'
import { dial, echo, rawUpstream, type Wire } from './wire.ts'

const request = 'GET /1 HTTP/1.1\r\nhost: a.test\r\n\r\n'

test('a client that goes away before the answer ends the request at the upstream, and the record says 499', async () => {
  const upstream = await rawUpstream()
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send(request)
  const wire = await upstream.next()
  await wire.message()
  client.socket.destroy()
  await wire.ended
  expect(await gateway.recorded(1)).toMatchObject([{ status: 499, blame: 'caller', problem: '', upstream: 'test' }])
  expect(gateway.thread.openConnections).toBe(0)
})

test('a client that goes away within the answer ends it at the upstream', async () => {
  const upstream = await rawUpstream()
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send(request)
  const wire = await upstream.next()
  await wire.message()
  wire.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n')
  await client.through('hello')
  client.socket.resetAndDestroy()
  await wire.ended
  expect(await gateway.recorded(1)).toMatchObject([{ status: 499, blame: 'caller', responseBytes: 5 }])
})

test('an upload that breaks off never looks whole to the upstream, and its bytes are recorded', async () => {
  const upstream = await rawUpstream()
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send('POST / HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n')
  const wire = await upstream.next()
  await wire.through('hello\r\n')
  client.socket.destroy()
  await wire.ended
  expect(wire.unread).not.toContain('0\r\n')
  expect(await gateway.recorded(1)).toMatchObject([{ status: 499, blame: 'caller', requestBytes: 5 }])
})

async function halfClosed(
  halfClose: 'abort' | 'answer',
): Promise<[client: Wire, wire: Wire, gateway: Awaited<ReturnType<typeof testGateway>>]> {
  const upstream = await rawUpstream()
  const gateway = await testGateway({ target: upstream.url, document: { gateway: { halfClose } } })
  const client = await dial(gateway.port)
  client.send(request)
  const wire = await upstream.next()
  await wire.message()
  client.socket.end()
  return [client, wire, gateway]
}

test('a client that half-closes has left, unless it is configured to be answered', async () => {
  const [, gone, gateway] = await halfClosed('abort')
  await gone.ended
  expect((await gateway.recorded(1))[0]?.status).toBe(499)
  const [client, wire] = await halfClosed('answer')
  wire.send('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
  expect((await client.message()).body).toBe('ok')
  expect(await client.ended).toBe('closed')
})

test('requests that were sent before a half-close are all answered where it is configured', async () => {
  const upstream = await rawUpstream(echo)
  const gateway = await testGateway({ target: upstream.url, document: { gateway: { halfClose: 'answer' } } })
  const client = await dial(gateway.port)
  client.socket.end(`${request}${request.replace('/1', '/2')}GET /unfinished`)
  expect((await client.message()).body).toBe('GET /1 HTTP/1.1 ')
  expect((await client.message()).body).toBe('GET /2 HTTP/1.1 ')
  expect(await client.ended).toBe('closed')
})

/** More answers than the kernel keeps are asked for by a client that half-closes before it reads them. */
async function halfClosedBehind(halfClose: 'abort' | 'answer'): Promise<[answers: string[], statuses: number[]]> {
  const body = 'z'.repeat(8_000)
  const gateway = await testGateway({
    document: { gateway: { halfClose, limits: { headSeconds: 0.2 } } },
    policies: [{ kind: 'respond', when: "request.path == '/1'", config: { status: 200, body } }],
  })
  const client = await dial(gateway.port)
  client.socket.pause()
  client.socket.end(`${request.repeat(2_000)}GET /unfinished`)
  // A tick later at least, at which a head that is not whole is too slow.
  await setTimeout(600)
  client.socket.resume()
  expect(await client.ended).toBe('closed')
  const answers = client.unread.split('HTTP/1.1 200 OK').slice(1)
  expect(answers.filter((answer) => !answer.endsWith(body))).toEqual([])
  await vi.waitFor(() => expect(gateway.thread.openConnections).toBe(0))
  return [answers, gateway.records.map(({ status }) => status)]
}

test('requests behind answers that the client has yet to read are answered after a half-close, or end with it', async () => {
  const all = Array.from({ length: 2_000 }, () => 200)
  const [answers, statuses] = await halfClosedBehind('answer')
  expect(answers).toHaveLength(2_000)
  expect(statuses).toEqual(all)
  const [fewer, begun] = await halfClosedBehind('abort')
  expect(fewer.length).toBeLessThan(2_000)
  expect(begun).toEqual(all.slice(0, fewer.length))
})
