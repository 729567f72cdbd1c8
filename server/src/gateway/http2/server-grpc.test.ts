/** gRPC calls of a real client to a real server through the gateway, which speaks HTTP/2 on both sides. */
import {
  Client,
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  status,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import { expect, onTestFinished, test } from 'vitest'
import { asBytes, toMethod } from '../../../test/grpc-method.ts'
import { testGateway } from '../../../test/test-gateway.ts'

const books: ServiceDefinition = {
  find: toMethod('/Books/Find', false, false),
  list: toMethod('/Books/List', false, true),
  add: toMethod('/Books/Add', true, false),
  chat: toMethod('/Books/Chat', true, true),
}

const handlers = {
  find(call: { request: Buffer }, done: (error: object | null, reply?: Buffer, trailers?: Metadata) => void) {
    const trailers = new Metadata()
    trailers.set('x-cost', '3')
    if (call.request.length === 0) done({ code: status.NOT_FOUND, details: 'no such book', metadata: trailers })
    else done(null, Buffer.concat([Buffer.from('found '), call.request]), trailers)
  },
  list(call: { write(bytes: Buffer): void; end(): void }) {
    for (let i = 0; i < 100; i++) call.write(Buffer.alloc(10_000, i))
    call.end()
  },
  add(call: NodeJS.ReadableStream, done: (error: null, reply: Buffer) => void) {
    let bytes = 0
    call.on('data', (message: Buffer) => (bytes += message.length))
    call.on('end', () => done(null, Buffer.from(String(bytes))))
  },
  chat(call: NodeJS.ReadWriteStream) {
    call.on('data', (bytes: Buffer) => call.write(bytes))
    call.on('end', () => call.end())
  },
}

async function openClient(): Promise<Client> {
  const server = new Server()
  server.addService(books, handlers)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound)
      else reject(error)
    })
  })
  const gateway = await testGateway({ target: `http://127.0.0.1:${port}`, upstream: { protocol: 'http2' } })
  const client = new Client(`127.0.0.1:${gateway.port}`, credentials.createInsecure())
  onTestFinished(() => {
    client.close()
    server.forceShutdown()
  })
  return client
}

interface Outcome {
  readonly error: ServiceError | null
  readonly reply: string
  readonly cost: unknown
}

function find(client: Client, request: string): Promise<Outcome> {
  return new Promise((resolve) => {
    let cost: unknown
    const call = client.makeUnaryRequest('/Books/Find', asBytes, asBytes, Buffer.from(request), (error, reply) =>
      setImmediate(() => resolve({ error, reply: reply?.toString() ?? '', cost })),
    )
    call.on('status', ({ metadata }) => ([cost] = metadata.get('x-cost')))
  })
}

test('one call and one answer, with the trailers of the server', async () => {
  expect(await find(await openClient(), 'Moby')).toEqual({ error: null, reply: 'found Moby', cost: '3' })
})

test('an error comes with its code, its words and its trailers', async () => {
  const { error, cost } = await find(await openClient(), '')
  expect([error?.code, error?.details, cost]).toEqual([status.NOT_FOUND, 'no such book', '3'])
})

test('a stream of answers comes whole', async () => {
  const client = await openClient()
  let bytes = 0
  const code = await new Promise((resolve) => {
    const call = client.makeServerStreamRequest('/Books/List', asBytes, asBytes, Buffer.from('all'))
    call.on('data', (message: Buffer) => (bytes += message.length))
    call.on('status', (ended) => resolve(ended.code))
  })
  expect([code, bytes]).toEqual([status.OK, 1_000_000])
})

test('a stream of requests arrives whole', async () => {
  const client = await openClient()
  const reply = await new Promise((resolve, reject) => {
    const call = client.makeClientStreamRequest('/Books/Add', asBytes, asBytes, (error, bytes) =>
      error === null ? resolve(bytes?.toString()) : reject(error),
    )
    for (let i = 0; i < 100; i++) call.write(Buffer.alloc(20_000))
    call.end()
  })
  expect(reply).toBe('2000000')
})

test('both sides talk in turn, each before the other has ended', async () => {
  const client = await openClient()
  const call = client.makeBidiStreamRequest('/Books/Chat', asBytes, asBytes)
  const heard: string[] = []
  const ended = new Promise((resolve) => call.on('status', ({ code }) => resolve(code)))
  for (const word of ['one', 'two', 'three']) {
    const answer = new Promise<Buffer>((resolve) => call.once('data', resolve))
    call.write(Buffer.from(word))
    heard.push((await answer).toString())
  }
  call.on('data', () => undefined)
  call.end()
  expect([await ended, heard]).toEqual([status.OK, ['one', 'two', 'three']])
})

test('a call that its client cancels ends at the server', async () => {
  const client = await openClient()
  const call = client.makeBidiStreamRequest('/Books/Chat', asBytes, asBytes)
  const answer = new Promise<Buffer>((resolve) => call.once('data', resolve))
  call.write(Buffer.from('one'))
  await answer
  const ended = new Promise((resolve) => call.on('error', (error: ServiceError) => resolve(error.code)))
  call.cancel()
  expect(await ended).toBe(status.CANCELLED)
  expect((await find(client, 'Moby')).reply).toBe('found Moby')
})
