import { Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toMethod } from '../../../test/grpc-method.ts'
import { localEndpoint } from '../../../test/test-upstream.ts'
import {
  type Answer,
  HandBody,
  readWhole,
  sendRequest,
  toRequest,
  type WholeBody,
} from '../../../test/upstream-call.ts'
import { Ticker } from '../ticker.ts'
import { openSocket } from '../upstream/open-socket.ts'
import { Http2Client } from './client.ts'

const books: ServiceDefinition = {
  find: toMethod('/Books/Find', false, false),
  list: toMethod('/Books/List', false, true),
  chat: toMethod('/Books/Chat', true, true),
}

let server: Server
let client: Http2Client

beforeEach(async () => {
  server = new Server()
  server.addService(books, {
    find(call: { request: Buffer }, done: (error: object | null, reply?: Buffer) => void) {
      if (call.request.length === 0) done({ code: status.NOT_FOUND, details: 'no such book' })
      else done(null, Buffer.concat([Buffer.from('found '), call.request]))
    },
    list(call: { write(bytes: Buffer): void; end(): void }) {
      for (let i = 0; i < 3; i++) call.write(Buffer.from(`book ${i}`))
      call.end()
    },
    chat(call: NodeJS.ReadWriteStream) {
      call.on('data', (bytes: Buffer) => call.write(bytes))
      call.on('end', () => call.end())
    },
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound)
      else reject(error)
    })
  })
  const target = { endpoint: localEndpoint(port), tlsSession: undefined }
  const limits = { connectMs: 5_000, idleMs: 60_000, maxConnections: 1, maxWaiting: 10 }
  client = new Http2Client({ connect: () => openSocket(target, undefined), ...limits }, new Ticker())
})

afterEach(() => {
  client.close()
  server.forceShutdown()
})

/** A message as gRPC frames it: no compression, its length, its bytes. */
function toMessage(text: string): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(text.length, 1)
  return Buffer.concat([head, Buffer.from(text)])
}

function callGrpc(path: string, body: HandBody): Promise<Answer> {
  const header = { 'content-type': 'application/grpc' }
  return sendRequest(client, toRequest({ method: 'POST', path, header, body, acceptsTrailers: true })).answer
}

async function askOnce(path: string, text: string): Promise<{ head: Answer; whole: WholeBody }> {
  const body = new HandBody()
  const answer = callGrpc(path, body)
  await body.write(toMessage(text))
  await body.end()
  const head = await answer
  return { head, whole: await readWhole(head.body) }
}

test('a unary gRPC call brings its message and its status in trailers', async () => {
  const { head, whole } = await askOnce('/Books/Find', 'dune')
  expect([head.status, head.fields.get('content-type')]).toEqual([200, 'application/grpc+proto'])
  expect(whole.bytes).toEqual(toMessage('found dune'))
  expect(whole.trailers?.get('grpc-status')).toBe('0')
})

test('a gRPC error arrives whether it comes as trailers or as the only head', async () => {
  const { head, whole } = await askOnce('/Books/Find', '')
  const where = whole.trailers ?? head.fields
  expect([where.get('grpc-status'), where.get('grpc-message')]).toEqual(['5', 'no%20such%20book'])
})

test('a server streams its messages', async () => {
  const { whole } = await askOnce('/Books/List', 'all')
  expect(whole.bytes).toEqual(Buffer.concat([0, 1, 2].map((i) => toMessage(`book ${i}`))))
  expect(whole.trailers?.get('grpc-status')).toBe('0')
})

test('both sides stream at once, message by message', async () => {
  const body = new HandBody()
  const answer = callGrpc('/Books/Chat', body)
  await body.write(toMessage('one'))
  const head = await answer
  await body.write(toMessage('two'))
  await body.end()
  const { bytes, trailers } = await readWhole(head.body)
  expect(bytes).toEqual(Buffer.concat([toMessage('one'), toMessage('two')]))
  expect(trailers?.get('grpc-status')).toBe('0')
})
