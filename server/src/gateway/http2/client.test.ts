import { once } from 'node:events'
import {
  constants,
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { createCertificate } from '../../../test/certificates.ts'
import {
  createFrameServer,
  END_HEADERS,
  END_STREAM,
  FRAME,
  type Frame,
  toFrame,
  toGoaway,
  toReset,
  toSection,
} from '../../../test/http2-frames.ts'
import { HandBody, readWhole, sendRequest, toRequest } from '../../../test/upstream-call.ts'
import { isBodySource } from '../../kernel/body.ts'
import { Fields } from '../../kernel/fields.ts'
import type { UpstreamTlsSpec } from '../../kernel/snapshot.ts'
import { Ticker, type Tickable } from '../ticker.ts'
import { UpstreamError } from '../upstream/client.ts'
import { toUnresolvedEndpoints } from '../upstream/endpoint.ts'
import { openSocket } from '../upstream/open-socket.ts'
import { toUpstreamTls } from '../upstream/tls-options.ts'
import { Http2Client, type Http2ClientOptions } from './client.ts'

const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function listen(server: Server, sockets = new Set<Socket>()): Promise<number> {
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  return address.port
}

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

async function startServer(
  handle: Handler,
  options: ServerOptions = {},
): Promise<{ port: number; sessions: ServerHttp2Session[] }> {
  const sessions: ServerHttp2Session[] = []
  const server = createServer(options)
  server.on('session', (session) => sessions.push(session))
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined)
    handle(stream, headers)
  })
  return { port: await listen(server), sessions }
}

function createClient(port: number, options: Partial<Http2ClientOptions> = {}, ticker = new Ticker()): Http2Client {
  const client = new Http2Client({ ...toOptions(port), ...options }, ticker)
  closers.push(() => client.close())
  return client
}

function toOptions(port: number): Http2ClientOptions {
  const endpoint = toEndpoint(`http://127.0.0.1:${port}`)
  return {
    connect: () => openSocket({ endpoint, tlsSession: undefined }, undefined),
    connectMs: 5_000,
    idleMs: 60_000,
    maxConnections: 4,
    maxWaiting: 10,
  }
}

function toEndpoint(url: string) {
  const [endpoint] = toUnresolvedEndpoints([{ url, srv: false, weight: 1, priority: 0 }])
  if (endpoint === undefined) throw new Error('a literal address is an endpoint')
  return endpoint
}

function createTlsClient(port: number, tls: Partial<UpstreamTlsSpec>): Http2Client {
  const spec = { ca: undefined, cert: undefined, key: undefined, serverName: 'books.test', verify: true, ...tls }
  const target = { endpoint: toEndpoint(`https://127.0.0.1:${port}`), tlsSession: undefined }
  const upstream = toUpstreamTls({ protocol: 'http2', tls: spec })
  return createClient(port, { connect: () => openSocket(target, upstream) })
}

const answerWith =
  (text: string): Handler =>
  (stream) => {
    stream.respond({ ':status': 200 })
    stream.end(text)
  }

async function failureOf(answer: Promise<unknown>): Promise<UpstreamError> {
  const error = await answer.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  if (!(error instanceof UpstreamError)) throw new Error('an UpstreamError was expected', { cause: error })
  return error
}

/** A server that answers each request with these frames; tells of every frame that it gets. */
async function startFrameServer(answer: (frame: Frame, socket: Socket) => void): Promise<number> {
  return listen(createFrameServer(answer))
}

const onRequest =
  (reply: (streamId: number) => Buffer): ((frame: Frame, socket: Socket) => void) =>
  (frame, socket) => {
    if (frame.type === FRAME.headers) socket.write(reply(frame.streamId))
  }

test('a request arrives as it was given and its answer comes back whole, over h2c', async () => {
  const seen: IncomingHttpHeaders[] = []
  const { port } = await startServer((stream, headers) => {
    seen.push(headers)
    stream.respond({ ':status': 201, 'x-kind': ['a', 'b'], 'content-length': 5 })
    stream.end('hello')
  })
  const request = toRequest({
    method: 'POST',
    path: '/books?x=1',
    header: { 'x-one': '1' },
    body: Buffer.from('body'),
    acceptsTrailers: true,
  })
  const { status, fields, body } = await sendRequest(createClient(port), request).answer
  expect(seen[0]).toMatchObject({
    ':method': 'POST',
    ':path': '/books?x=1',
    ':authority': 'books.test',
    ':scheme': 'http',
    'x-one': '1',
    'content-length': '4',
    te: 'trailers',
  })
  expect(status).toBe(201)
  expect(fields.names.filter((name) => name !== 'date')).toEqual(['x-kind', 'x-kind'])
  expect(isBodySource(body) ? body.bodyBytes : undefined).toBe(5)
  expect((await readWhole(body)).bytes.toString()).toBe('hello')
})

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

test('trailers pass whole in both directions', async () => {
  const trailersSeen: unknown[] = []
  const { port } = await startServer((stream) => {
    stream.on('trailers', (trailers) => trailersSeen.push(trailers['x-sum']))
    stream.on('end', () => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-many': ['1', '2'] }))
      stream.end('done')
    })
    stream.resume()
  })
  const source = new HandBody()
  const pending = sendRequest(createClient(port), toRequest({ method: 'POST', body: source }))
  await source.write('part one, ')
  await source.write('part two')
  await source.end(Fields.of({ 'x-sum': '17' }))
  const { bytes, trailers } = await readWhole((await pending.answer).body)
  expect(bytes.toString()).toBe('done')
  expect(trailers?.get('grpc-status')).toBe('0')
  expect(trailers?.joined('x-many')).toBe('1, 2')
  expect(trailersSeen).toEqual(['17'])
})

test('a gRPC answer of trailers only comes as a head without a body', async () => {
  const { port } = await startServer((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true })
  })
  const source = new HandBody()
  const { answer } = sendRequest(createClient(port), toRequest({ method: 'POST', body: source }))
  const { status, fields, body } = await answer
  expect([status, fields.get('grpc-status'), body]).toEqual([200, '5', undefined])
})

test('interim answers are passed on, 100 is kept', async () => {
  const { port } = await startServer((stream) => {
    stream.additionalHeaders({ ':status': 103, link: '</a.css>' })
    stream.respond({ ':status': 200 }, { endStream: true })
  })
  const pending = sendRequest(createClient(port), toRequest())
  await pending.answer
  expect(pending.interim.map(({ status, fields }) => [status, fields.get('link')])).toEqual([[103, '</a.css>']])
})

test('interim answers without end are a breach of the protocol', async () => {
  const early = toSection([[':status', '103']])
  const port = await startFrameServer(
    onRequest((id) => Buffer.concat(Array.from({ length: 20 }, () => toFrame(FRAME.headers, END_HEADERS, id, early)))),
  )
  expect(await failureOf(sendRequest(createClient(port), toRequest()).answer)).toMatchObject({ kind: 'protocol' })
})

test('trailers of the request that HTTP/2 cannot say fail it instead of being left out', async () => {
  const { port } = await startServer((stream) => stream.resume())
  const source = new HandBody()
  const { answer } = sendRequest(createClient(port), toRequest({ method: 'POST', body: source }))
  await source.write('body')
  await source.end(Fields.of({ 'not a name': 'x' }))
  expect(await failureOf(answer)).toMatchObject({ kind: 'request-body', sent: 'some' })
})

test('a stalled reader stalls its sender and nobody else on the connection', async () => {
  let writtenBytes = 0
  const { port, sessions } = await startServer((stream, headers) => {
    if (headers[':path'] === '/quick') {
      answerWith('quick')(stream, headers)
      return
    }
    stream.respond({ ':status': 200 })
    const chunk = Buffer.alloc(65_536)
    const writeMore = (): void => {
      stream.write(chunk, (error) => {
        writtenBytes += chunk.length
        if (error === undefined || error === null) writeMore()
      })
    }
    writeMore()
  })
  const client = createClient(port)
  const stalled = await Promise.all(Array.from({ length: 8 }, () => sendRequest(client, toRequest()).answer))
  for (const { body } of stalled) {
    if (isBodySource(body)) body.flow({ chunk: () => false, end: () => undefined, fail: () => undefined })
  }
  for (let i = 0; i < 20; i++) {
    const quick = await sendRequest(client, toRequest({ path: '/quick' })).answer
    expect((await readWhole(quick.body)).bytes.toString()).toBe('quick')
  }
  expect(sessions.length).toBe(1)
  expect(writtenBytes).toBeLessThan(8 * 1_048_576)
})

test('a target that does not read holds the sender of the body back until it does', async () => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<ServerHttp2Stream>()
  const { port } = await startServer((stream) => arrive(stream))
  const source = new HandBody()
  const pending = sendRequest(createClient(port), toRequest({ method: 'PUT', body: source }))
  let sentBytes = 0
  while (await source.write(Buffer.alloc(16_384))) sentBytes += 16_384
  expect(sentBytes).toBeLessThan(1_048_576)
  const drained = source.drained()
  const stream = await arrived
  stream.resume()
  await drained
  await source.end()
  stream.respond({ ':status': 204 }, { endStream: true })
  expect((await pending.answer).status).toBe(204)
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

test('a refused stream is known to be unprocessed', async () => {
  const port = await startFrameServer(onRequest((id) => toReset(id, constants.NGHTTP2_REFUSED_STREAM)))
  const { answer } = sendRequest(createClient(port), toRequest({ method: 'POST', body: Buffer.from('x') }))
  expect(await failureOf(answer)).toMatchObject({ kind: 'reset', sent: 'unprocessed' })
})

test.each([constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_ENHANCE_YOUR_CALM])(
  'GOAWAY with code %i leaves streams above its last one unprocessed, and the next request gets a new connection',
  async (code) => {
    let connections = 0
    const port = await startFrameServer((frame, socket) => {
      if (frame.type === FRAME.settings) connections++
      if (frame.type !== FRAME.headers) return
      if (frame.streamId === 3) socket.write(toGoaway(1, code))
      else if (connections > 2) {
        socket.write(toFrame(FRAME.headers, END_HEADERS | END_STREAM, frame.streamId, toSection([[':status', '200']])))
      }
    })
    const client = createClient(port)
    const first = sendRequest(client, toRequest())
    const second = sendRequest(client, toRequest({ method: 'POST', body: Buffer.from('x') }))
    expect(await failureOf(second.answer)).toMatchObject({ sent: 'unprocessed' })
    connections = 3
    expect((await sendRequest(client, toRequest()).answer).status).toBe(200)
    first.call.cancel()
  },
)

test('a target that dies before its answer, or in the midst of it, fails the call with what was sent', async () => {
  const { port, sessions } = await startServer((stream, headers) => {
    if (headers[':path'] === '/midst') {
      stream.respond({ ':status': 200 })
      stream.write('half')
    } else sessions[0]?.destroy()
  })
  const client = createClient(port)
  const { body } = await sendRequest(client, toRequest({ path: '/midst' })).answer
  const broken = readWhole(body)
  broken.catch(() => undefined)
  expect(await failureOf(sendRequest(client, toRequest()).answer)).toMatchObject({ kind: 'reset', sent: 'some' })
  expect(await failureOf(broken)).toMatchObject({ sent: 'some' })
})

test('a cancelled call resets its stream and is told nothing', async () => {
  const { promise: reset, resolve } = Promise.withResolvers<number>()
  const { port } = await startServer((stream) => {
    stream.on('close', () => resolve(stream.rstCode))
    stream.respond({ ':status': 200 })
    stream.write('begun')
  })
  const pending = sendRequest(createClient(port), toRequest())
  const { body } = await pending.answer
  if (isBodySource(body)) body.flow({ chunk: () => true, end: () => undefined, fail: () => pending.outcomes++ })
  pending.call.cancel()
  expect(await reset).toBe(constants.NGHTTP2_CANCEL)
  expect(pending.outcomes).toBe(1)
})

test('an aborted call fails with the given reason, whether it waits or is under way', async () => {
  const arrived: ServerHttp2Stream[] = []
  const { port } = await startServer((stream) => arrived.push(stream), { settings: { maxConcurrentStreams: 1 } })
  const client = createClient(port, { maxConnections: 1 })
  const sent = sendRequest(client, toRequest())
  while (arrived.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const waiting = sendRequest(client, toRequest())
  waiting.call.abort('timeout', 'too slow')
  sent.call.abort('timeout', 'too slow')
  expect(await failureOf(waiting.answer)).toMatchObject({ kind: 'timeout', sent: 'nothing', message: 'too slow' })
  expect(await failureOf(sent.answer)).toMatchObject({ kind: 'timeout', sent: 'some' })
})

const OK: readonly [string, string] = [':status', '200']
test.each([
  ['no status', [['x-a', 'b']]],
  ['a status of two digits', [[':status', '20']]],
  ['the status 101', [[':status', '101']]],
  ['a second status', [OK, OK]],
  ['another pseudo field', [OK, [':path', '/']]],
  ['a name in upper case', [OK, ['X-Bad', '1']]],
  ['a connection field', [OK, ['connection', 'close']]],
  ['a transfer coding', [OK, ['transfer-encoding', 'chunked']]],
  ['two lengths', [OK, ['content-length', '1'], ['content-length', '2']]],
  ['a length that is no number', [OK, ['content-length', '1a']]],
] satisfies [string, (readonly [string, string])[]][])(
  'an answer with %s is a breach of the protocol',
  async (_what, section) => {
    const port = await startFrameServer(onRequest((id) => toFrame(FRAME.headers, END_HEADERS, id, toSection(section))))
    expect(await failureOf(sendRequest(createClient(port), toRequest()).answer)).toMatchObject({ kind: 'protocol' })
  },
)

test.each([
  ['line break', 'a\r\nset-cookie: b'],
  ['NUL', 'a\0b'],
])('a field value with a %s never reaches the caller', async (_what, value) => {
  const section = toSection([OK, ['x-bad', value]])
  const port = await startFrameServer(onRequest((id) => toFrame(FRAME.headers, END_HEADERS | END_STREAM, id, section)))
  const outcome = await sendRequest(createClient(port), toRequest()).answer.catch((error: unknown) => error)
  expect(outcome instanceof UpstreamError ? [] : outcome).not.toMatchObject({ fields: { names: ['x-bad'] } })
})

test.each([
  ['with a length', [['content-length', '10']]],
  ['without a length', []],
] satisfies [string, (readonly [string, string])[]][])(
  'a body %s that is cut politely fails',
  async (_what, length) => {
    const head = toSection([OK, ...length])
    const port = await startFrameServer(
      onRequest((id) =>
        Buffer.concat([
          toFrame(FRAME.headers, END_HEADERS, id, head),
          toFrame(FRAME.data, 0, id, 'short'),
          toReset(id, constants.NGHTTP2_NO_ERROR),
        ]),
      ),
    )
    const { body } = await sendRequest(createClient(port), toRequest()).answer
    expect(await failureOf(readWhole(body))).toMatchObject({ kind: 'reset' })
  },
)

test('a body of another length than announced fails', async () => {
  const head = toSection([OK, ['content-length', '10']])
  const answer = (id: number): Buffer =>
    Buffer.concat([toFrame(FRAME.headers, END_HEADERS, id, head), toFrame(FRAME.data, END_STREAM, id, 'short')])
  const port = await startFrameServer(onRequest(answer))
  const outcome = sendRequest(createClient(port), toRequest()).answer.then(({ body }) => readWhole(body))
  expect(await failureOf(outcome)).toMatchObject({ kind: 'protocol' })
})

test('a HEAD keeps the length of the body that is not there', async () => {
  const head = toSection([OK, ['content-length', '1234']])
  const port = await startFrameServer(onRequest((id) => toFrame(FRAME.headers, END_HEADERS | END_STREAM, id, head)))
  const { fields, body } = await sendRequest(createClient(port), toRequest({ method: 'HEAD' })).answer
  expect([fields.get('content-length'), body]).toEqual(['1234', undefined])
})

test('when the answer is whole before the body of the request is, its source is told to stop', async () => {
  const port = await startFrameServer(
    onRequest((id) =>
      Buffer.concat([
        toFrame(FRAME.headers, END_HEADERS | END_STREAM, id, toSection([[':status', '413']])),
        toReset(id, constants.NGHTTP2_NO_ERROR),
      ]),
    ),
  )
  const source = new HandBody()
  const { answer } = sendRequest(createClient(port), toRequest({ method: 'POST', body: source }))
  expect((await answer).status).toBe(413)
  await source.cancelled
})

test('a request whose body breaks off is reset, and the target is not blamed', async () => {
  const { promise: reset, resolve } = Promise.withResolvers<number>()
  const { port } = await startServer((stream) => stream.on('close', () => resolve(stream.rstCode)))
  const source = new HandBody()
  const { answer } = sendRequest(createClient(port), toRequest({ method: 'POST', body: source }))
  await source.write('half')
  source.fail(new Error('client left'))
  expect(await failureOf(answer)).toMatchObject({ kind: 'request-body', sent: 'some' })
  expect(await reset).toBe(constants.NGHTTP2_CANCEL)
})

test('WebSocket passes by extended CONNECT and looks like the 101 of HTTP/1.1', async () => {
  const seen: IncomingHttpHeaders[] = []
  const { port } = await startServer(
    (stream, headers) => {
      seen.push(headers)
      stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' })
      stream.pipe(stream)
    },
    { settings: { enableConnectProtocol: true } },
  )
  const up = new HandBody()
  const header = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' }
  const { answer } = sendRequest(
    createClient(port),
    toRequest({ path: '/chat', upgrade: 'websocket', header, body: up }),
  )
  const { status, fields, body } = await answer
  expect(seen[0]).toMatchObject({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat' })
  expect(seen[0]?.['sec-websocket-key']).toBeUndefined()
  expect(status).toBe(101)
  expect(fields.get('sec-websocket-accept')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  await up.write('ping over the tunnel')
  await up.end()
  expect((await readWhole(body)).bytes.toString()).toBe('ping over the tunnel')
})

test('a target without extended CONNECT fails a WebSocket before anything is sent', async () => {
  const { port } = await startServer(answerWith(''))
  const request = toRequest({ upgrade: 'websocket', body: new HandBody() })
  expect(await failureOf(sendRequest(createClient(port), request).answer)).toMatchObject({ sent: 'nothing' })
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
