/** Targets that speak HTTP/2, rightly or not, and clients of the gateway's that call them. */
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2'
import type { Server, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { Http2Client, type Http2ClientOptions } from '../src/gateway/http2/client.ts'
import { Ticker } from '../src/gateway/ticker.ts'
import { UpstreamError } from '../src/gateway/upstream/client.ts'
import { toUnresolvedEndpoints } from '../src/gateway/upstream/endpoint.ts'
import { openSocket } from '../src/gateway/upstream/open-socket.ts'
import { toUpstreamTls } from '../src/gateway/upstream/tls-options.ts'
import type { UpstreamTlsSpec } from '../src/kernel/snapshot.ts'
import { createFrameServer, FRAME, type Frame } from './http2-frames.ts'

export async function listen(server: Server, sockets = new Set<Socket>()): Promise<number> {
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  return address.port
}

export type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

export async function startServer(
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

export function createClient(
  port: number,
  options: Partial<Http2ClientOptions> = {},
  ticker = new Ticker(),
): Http2Client {
  const client = new Http2Client({ ...toOptions(port), ...options }, ticker)
  onTestFinished(() => client.close())
  return client
}

export function toOptions(port: number): Http2ClientOptions {
  const endpoint = toEndpoint(`http://127.0.0.1:${port}`)
  return {
    connect: () => openSocket({ endpoint, tlsSession: undefined }, undefined),
    connectMs: 5_000,
    idleMs: 60_000,
    maxConnections: 4,
    maxWaiting: 10,
  }
}

export function toEndpoint(url: string) {
  const [endpoint] = toUnresolvedEndpoints([{ url, srv: false, weight: 1, priority: 0 }])
  if (endpoint === undefined) throw new Error('a literal address is an endpoint')
  return endpoint
}

export function createTlsClient(port: number, tls: Partial<UpstreamTlsSpec>): Http2Client {
  const spec = { ca: undefined, cert: undefined, key: undefined, serverName: 'books.test', verify: true, ...tls }
  const target = { endpoint: toEndpoint(`https://127.0.0.1:${port}`), tlsSession: undefined }
  const upstream = toUpstreamTls({ protocol: 'http2', tls: spec })
  return createClient(port, { connect: () => openSocket(target, upstream) })
}

export const answerWith =
  (text: string): Handler =>
  (stream) => {
    stream.respond({ ':status': 200 })
    stream.end(text)
  }

export async function failureOf(answer: Promise<unknown>): Promise<UpstreamError> {
  const error = await answer.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  if (!(error instanceof UpstreamError)) throw new Error('an UpstreamError was expected', { cause: error })
  return error
}

/** A server that answers each request with these frames; tells of every frame that it gets. */
export async function startFrameServer(answer: (frame: Frame, socket: Socket) => void): Promise<number> {
  return listen(createFrameServer(answer))
}

export const onRequest =
  (reply: (streamId: number) => Buffer): ((frame: Frame, socket: Socket) => void) =>
  (frame, socket) => {
    if (frame.type === FRAME.headers) socket.write(reply(frame.streamId))
  }
