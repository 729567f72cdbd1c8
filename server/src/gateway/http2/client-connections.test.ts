import { once } from 'node:events'
import { createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { createServer as createTcpServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { expect, test } from 'vitest'
import { createCertificate } from '../../../test/certificates.ts'
import { FRAME } from '../../../test/http2-frames.ts'
import {
  listen,
  startServer,
  createClient,
  createTlsClient,
  answerWith,
  failureOf,
  startFrameServer,
} from '../../../test/http2-targets.ts'
import { HandBody, readWhole, sendRequest, toRequest } from '../../../test/upstream-call.ts'
import { Ticker, type Tickable } from '../ticker.ts'

test('TLS agrees on h2 by ALPN and checks the certificate for the configured name', async () => {
  const authority = createCertificate('Test CA')
  const leaf = createCertificate('books', { names: ['books.test'], issuer: authority })
  const server = createSecureServer({ cert: leaf.cert, key: leaf.key })
  server.on('stream', answerWith('safe'))
  const port = await listen(server)
  const { body } = await sendRequest(createTlsClient(port, { ca: authority.cert }), toRequest({ scheme: 'https' }))
    .answer
  expect((await readWhole(body)).bytes.toString()).toBe('safe')
  const distrusting = sendRequest(createTlsClient(port, {}), toRequest({ scheme: 'https' }))
  expect(await failureOf(distrusting.answer)).toMatchObject({ kind: 'tls', sent: 'nothing' })
  const misnamed = createTlsClient(port, { ca: authority.cert, serverName: 'other.test' })
  expect(await failureOf(sendRequest(misnamed, toRequest()).answer)).toMatchObject({ kind: 'tls', sent: 'nothing' })
})

test('a TLS target without h2 is refused before anything is sent', async () => {
  const leaf = createCertificate('books.test', { names: ['books.test'] })
  const port = await listen(createTlsServer({ cert: leaf.cert, key: leaf.key }))
  const { answer } = sendRequest(createTlsClient(port, { ca: leaf.cert }), toRequest())
  expect(await failureOf(answer)).toMatchObject({ kind: 'protocol', sent: 'nothing' })
})

test('no more streams are opened than the target allows; the rest wait, and too many are refused', async () => {
  const streams: ServerHttp2Stream[] = []
  const { port, sessions } = await startServer((stream) => streams.push(stream), {
    settings: { maxConcurrentStreams: 1 },
  })
  const client = createClient(port, { maxConnections: 1, maxWaiting: 1 })
  const first = sendRequest(client, toRequest())
  while (streams.length === 0) await once(await nextSession(sessions), 'stream')
  const second = sendRequest(client, toRequest())
  const third = sendRequest(client, toRequest())
  expect(await failureOf(third.answer)).toMatchObject({ kind: 'full', sent: 'nothing' })
  expect(streams.length).toBe(1)
  streams[0]?.respond({ ':status': 200 }, { endStream: true })
  await first.answer
  await once(await nextSession(sessions), 'stream')
  streams[1]?.respond({ ':status': 202 }, { endStream: true })
  expect((await second.answer).status).toBe(202)
  expect(sessions.length).toBe(1)
})

async function nextSession(sessions: readonly ServerHttp2Session[]): Promise<ServerHttp2Session> {
  while (sessions[0] === undefined) await new Promise((resolve) => setImmediate(resolve))
  return sessions[0]
}

test('another connection is opened when all streams of the first are taken', async () => {
  const streams: ServerHttp2Stream[] = []
  const { port, sessions } = await startServer((stream) => streams.push(stream), {
    settings: { maxConcurrentStreams: 1 },
  })
  const client = createClient(port)
  const pending = [sendRequest(client, toRequest()), sendRequest(client, toRequest())]
  while (streams.length < 2) await new Promise((resolve) => setImmediate(resolve))
  for (const stream of streams) stream.respond({ ':status': 200 }, { endStream: true })
  await Promise.all(pending.map(({ answer }) => answer))
  expect(sessions.length).toBe(2)
})

test('a target that does not speak HTTP/2 is refused before anything counts as sent', async () => {
  const port = await listen(createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
  const { answer } = sendRequest(createClient(port), toRequest())
  expect((await failureOf(answer)).sent).toBe('nothing')
})

test('a target that accepts the connection and says nothing runs into the connect timeout', async () => {
  const port = await listen(createTcpServer(() => undefined))
  const { answer } = sendRequest(createClient(port, { connectMs: 50 }), toRequest())
  expect(await failureOf(answer)).toMatchObject({ kind: 'connect-timeout', sent: 'nothing' })
})

test('a target that is not there fails the call with connect', async () => {
  const server = createTcpServer()
  const port = await listen(server)
  server.close()
  expect(await failureOf(sendRequest(createClient(port), toRequest()).answer)).toMatchObject({ kind: 'connect' })
})

test('closing lets what is under way end and then closes the connection', async () => {
  const { port, sessions } = await startServer((stream) => {
    stream.respond({ ':status': 200 })
    stream.write('first ')
    stream.once('data', () => stream.end('last'))
  })
  const client = createClient(port)
  const source = new HandBody()
  const { body } = await sendRequest(client, toRequest({ method: 'POST', body: source })).answer
  client.close()
  await source.write('go on')
  await source.end()
  expect((await readWhole(body)).bytes.toString()).toBe('first last')
  const session = await nextSession(sessions)
  if (!session.destroyed) await once(session, 'close')
})

/** Time by hand: what is told to tick is told when the test says so. */
class HandTicker extends Ticker {
  private readonly told = new Set<Tickable>()
  override add(member: Tickable): void {
    this.told.add(member)
  }
  override delete(member: Tickable): void {
    this.told.delete(member)
  }
  advance(ms: number): void {
    for (const member of this.told) member.tick(performance.now() + ms)
  }
}

test('an idle connection is closed after its time', async () => {
  const { port, sessions } = await startServer(answerWith('x'))
  const ticker = new HandTicker()
  const client = createClient(port, { idleMs: 1_000 }, ticker)
  await readWhole((await sendRequest(client, toRequest()).answer).body)
  const session = await nextSession(sessions)
  ticker.advance(500)
  expect(session.destroyed).toBe(false)
  while (!session.destroyed) {
    ticker.advance(2_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
})

test('a target that stops answering PING loses its connection, and its streams fail', async () => {
  const { promise: pinged, resolve } = Promise.withResolvers<void>()
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const port = await startFrameServer((frame) => {
    if (frame.type === FRAME.ping) resolve()
    if (frame.type === FRAME.headers) ask()
  })
  const ticker = new HandTicker()
  const { answer } = sendRequest(createClient(port, {}, ticker), toRequest())
  await asked
  ticker.advance(299_000)
  ticker.advance(301_000)
  await pinged
  ticker.advance(20_000)
  expect(await failureOf(answer)).toMatchObject({ kind: 'reset', sent: 'some' })
})
