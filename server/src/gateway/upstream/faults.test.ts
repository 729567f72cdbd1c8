// What a caller sees of an upstream that is in trouble, through a whole gateway.
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import { createServer as createTcpServer, type Server } from 'node:net'
import { expect, test } from 'vitest'
import { listenLocally } from '../../../test/local-server.ts'
import { type TestGateway, testGateway } from '../../../test/test-gateway.ts'

async function listen(server: Server): Promise<string> {
  return `http://127.0.0.1:${await listenLocally(server)}`
}

const serve = (listener: RequestListener): Promise<string> => listen(createHttpServer(listener))

/** An address on which nothing listens. */
async function deadTarget(): Promise<string> {
  const server = createTcpServer()
  const url = await listen(server)
  server.close()
  return url
}

const answer =
  (text: string): RequestListener =>
  (_request, response) =>
    void response.end(text)

async function statusesOf(gateway: TestGateway, line: string, count: number): Promise<number[]> {
  const statuses: number[] = []
  for (let i = 0; i < count; i++) statuses.push((await gateway.inject(line)).status)
  return statuses
}

test('a dead target costs callers nothing while another one lives', async () => {
  const targets = [{ url: await deadTarget() }, { url: await serve(answer('alive')) }]
  const gateway = await testGateway({ target: 'http://127.0.0.1', upstream: { targets } })
  expect(new Set(await statusesOf(gateway, 'POST /', 10))).toEqual(new Set([200]))
})

test('a fallback group serves while the first one is down', async () => {
  const targets = [{ url: await deadTarget() }, { url: await serve(answer('spare')), priority: 1 }]
  const gateway = await testGateway({ target: 'http://127.0.0.1', upstream: { targets } })
  expect((await gateway.inject('GET /')).body).toBe('spare')
})

test('a request that is not idempotent is not repeated once it was sent, an idempotent one is', async () => {
  let asked = 0
  const target = await serve((request) => {
    asked++
    request.socket.destroy()
  })
  const gateway = await testGateway({ target, upstream: { retries: { attempts: 2 } } })
  const refused = await gateway.inject('POST /', { body: 'order' })
  expect([refused.status, asked]).toEqual([502, 1])
  await gateway.inject('GET /')
  expect(asked).toBe(4)
  const records = await gateway.recorded(2)
  expect(records.map(({ blame, attempts }) => [blame, attempts])).toEqual([
    ['upstream', 1],
    ['upstream', 3],
  ])
})

test('an open circuit breaker turns requests away at once, survives a reload, and closes when the target is well', async () => {
  let asked = 0
  let status = 500
  const target = await serve((_request, response) => {
    asked++
    response.writeHead(status).end()
  })
  const circuitBreaker = { failurePercent: 50, minimumRequests: 3, windowSeconds: 10, openSeconds: 1 }
  const upstream = { circuitBreaker, retries: { attempts: 0 } }
  const gateway = await testGateway({ target, upstream })
  expect(await statusesOf(gateway, 'GET /', 3)).toEqual([500, 500, 500])
  const refused = await gateway.inject('GET /')
  expect([refused.status, JSON.parse(refused.body), asked]).toMatchObject([503, { code: 'upstream.no_target' }, 3])
  await gateway.reload({ target, upstream: { ...upstream, retries: { attempts: 1 } } })
  expect((await gateway.inject('GET /')).status).toBe(503)
  status = 200
  while ((await gateway.inject('GET /')).status === 503) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await statusesOf(gateway, 'GET /', 3)).toEqual([200, 200, 200])
})

test('a target that keeps failing is left out of the round', async () => {
  const counts = { bad: 0, good: 0 }
  const bad = await serve((_request, response) => {
    counts.bad++
    response.writeHead(500).end()
  })
  const good = await serve((_request, response) => {
    counts.good++
    response.end()
  })
  const upstream = { targets: [{ url: bad }, { url: good }], outlierDetection: { consecutiveFailures: 3 } }
  const gateway = await testGateway({ target: bad, upstream })
  await statusesOf(gateway, 'GET /', 30)
  expect(counts).toEqual({ bad: 3, good: 27 })
})

test('a target is found by its name, whatever addresses the name has', async () => {
  const target = await serve(answer('by name'))
  const gateway = await testGateway({ target: target.replace('127.0.0.1', 'localhost') })
  expect((await gateway.inject('GET /')).body).toBe('by name')
})

test('an HTTP/2 upstream serves a client of HTTP/1.1, bodies and trailers included', async () => {
  const server = createHttp2Server()
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '17' }))
    stream.pipe(stream)
  })
  const gateway = await testGateway({ target: await listen(server), upstream: { protocol: 'http2' } })
  const { status, body, trailers } = await gateway.inject('POST /', {
    body: 'there and back',
    headers: { te: 'trailers' },
  })
  expect([status, body, trailers['x-sum']]).toEqual([200, 'there and back', '17'])
})

test('an HTTP/2 answer that is cut is not passed off as whole', async () => {
  const server = createHttp2Server()
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200 })
    stream.write('half', () => stream.session?.destroy())
  })
  const gateway = await testGateway({ target: await listen(server), upstream: { protocol: 'http2' } })
  await expect(gateway.inject('GET /')).rejects.toThrow(/aborted|hang up|reset/i)
  expect(await gateway.recorded(1)).toMatchObject([{ blame: 'upstream' }])
})
