/** Targets that cannot be reached, are slow, or speak TLS and HTTP/2: told apart, and no harm to the others. */
import { once } from 'node:events'
import { createServer as createHttp2Server } from 'node:http2'
import { createServer, type AddressInfo } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { createCertificate } from '../certificates.ts'
import { findFreePorts } from '../ports.ts'
import { testGateway, type Answered } from '../test-gateway.ts'
import { dial, echo, rawUpstream, Wire } from './wire.ts'

const authority = createCertificate('authority')
const server = createCertificate('books.test', { names: ['books.test'], issuer: authority })
const gatewayCertificate = createCertificate('gateway', { issuer: authority })

const codeOf = ({ status, body }: Pick<Answered, 'status' | 'body'>): unknown[] => [status, JSON.parse(body).code]

async function deadUrl(): Promise<string> {
  const [port = 0] = await findFreePorts(1)
  return `http://127.0.0.1:${port}`
}

test('targets that are all down are a 502 that names why, and requests go on when one comes back', async () => {
  const [port = 0] = await findFreePorts(1)
  const targets = [{ url: await deadUrl() }, { url: `http://127.0.0.1:${port}` }]
  const gateway = await testGateway({
    target: 'http://127.0.0.1',
    upstream: { targets, outlierDetection: { baseEjectionSeconds: 0.1 } },
  })
  const refused = await gateway.inject('GET /')
  expect(codeOf(refused)).toEqual([502, 'upstream.connect_failed'])
  expect(refused.body).toContain('ECONNREFUSED')
  const back = createServer((socket) => void echo(new Wire(socket)).catch(() => socket.destroy()))
  back.listen(port, '127.0.0.1')
  onTestFinished(() => void back.close())
  expect((await gateway.inject('POST /', { body: 'x' })).body).toContain('POST /')
  expect((await gateway.recorded(2))[0]).toMatchObject({
    status: 502,
    blame: 'upstream',
    problem: 'upstream.connect_failed',
  })
})

test('a name that cannot be resolved is a 502 of its upstream alone', async () => {
  const upstream = await rawUpstream(echo)
  const upstreams = [
    { name: 'test', targets: [{ url: upstream.url }] },
    { name: 'lost', targets: [{ url: 'http://nowhere.invalid:1' }] },
  ]
  const routes = [
    { name: 'all', match: { path: '/*' } },
    { name: 'lost', match: { path: '/lost' }, upstream: 'lost' },
  ]
  const gateway = await testGateway({ target: upstream.url, routes, document: { upstreams } })
  expect(codeOf(await gateway.inject('GET /lost'))).toEqual([502, 'upstream.connect_failed'])
  expect((await gateway.inject('GET /')).status).toBe(200)
})

test('a target that answers nothing holds up no request to another', async () => {
  const silent = await rawUpstream()
  const upstream = await rawUpstream(echo)
  const targets = [{ url: silent.url }, { url: upstream.url }]
  const gateway = await testGateway({
    target: silent.url,
    upstream: { targets, loadBalancing: { algorithm: 'least-requests' } },
  })
  const isStuck = silent.next()
  while (silent.wires.length === 0) await Promise.race([isStuck, (await dial(gateway.port)).get('/')])
  const client = await dial(gateway.port)
  let served = 0
  for (let i = 0; i < 20; i++) if ((await client.get('/')).status === 200) served++
  expect(served).toBe(20)
})

test('a full pool makes requests wait their turn, and beyond the queue they are refused', async () => {
  const upstream = await rawUpstream()
  const connections = { maxPerTarget: 1, maxWaiting: 1 }
  const gateway = await testGateway({ target: upstream.url, upstream: { connections } })
  const clients = [await dial(gateway.port), await dial(gateway.port), await dial(gateway.port)] as const
  clients[0].send('GET /0 HTTP/1.1\r\nhost: a.test\r\n\r\n')
  const wire = await upstream.next()
  await wire.message()
  clients[1].send('GET /1 HTTP/1.1\r\nhost: a.test\r\n\r\n')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(codeOf(await clients[2].get('/2'))).toEqual([503, 'upstream.busy'])
  wire.send('HTTP/1.1 204 No Content\r\n\r\n')
  expect((await wire.message()).startLine).toBe('GET /1 HTTP/1.1')
  wire.send('HTTP/1.1 204 No Content\r\n\r\n')
  expect([(await clients[0].message()).status, (await clients[1].message()).status]).toEqual([204, 204])
  expect(upstream.wires).toHaveLength(1)
})

test('retries stay within their budget', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.message()
    wire.socket.destroy()
  })
  const retries = { attempts: 5, budgetPercent: 50, budgetMinPerSecond: 0, backoffSeconds: 0 }
  const outlierDetection = { enabled: false }
  const gateway = await testGateway({ target: upstream.url, upstream: { retries, outlierDetection } })
  for (let i = 0; i < 10; i++) expect((await gateway.inject('GET /')).status).toBe(502)
  expect(upstream.wires).toHaveLength(15)
})

/** An upstream behind TLS; gives the sockets that finished their handshake. */
async function secureUpstream(options: TlsOptions = {}): Promise<{ port: number; sockets: TLSSocket[] }> {
  const sockets: TLSSocket[] = []
  const listening = createTlsServer({ cert: server.cert, key: server.key, ...options }, (socket) => {
    sockets.push(socket)
    void echo(new Wire(socket)).catch(() => socket.destroy())
  })
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  onTestFinished(() => void listening.close())
  return { port: (listening.address() as AddressInfo).port, sockets }
}

test('a target with TLS is asked by its name, trusted by its authority, and shown our certificate', async () => {
  const { port, sockets } = await secureUpstream({ requestCert: true, ca: authority.cert, rejectUnauthorized: true })
  const { cert, key } = gatewayCertificate
  const tls = { ca: authority.cert, serverName: 'books.test', cert, key }
  const gateway = await testGateway({ target: `https://127.0.0.1:${port}`, upstream: { tls } })
  const client = await dial(gateway.port)
  expect((await client.get('/1')).body).toBe('GET /1 HTTP/1.1 ')
  expect((await client.get('/2')).status).toBe(200)
  expect(sockets.map((socket) => [socket.servername, socket.getPeerCertificate().subject.CN])).toEqual([
    ['books.test', 'gateway'],
  ])
})

test('a target whose certificate is not right is a 502 before it gets a byte of the request', async () => {
  const { port, sockets } = await secureUpstream()
  const wrong = {
    'of an authority that is not trusted': { serverName: 'books.test' },
    'of another name': { ca: authority.cert, serverName: 'shop.test' },
    'of a name where an address is asked': { ca: authority.cert },
  }
  for (const tls of Object.values(wrong)) {
    const gateway = await testGateway({ target: `https://127.0.0.1:${port}`, upstream: { tls } })
    expect(codeOf(await gateway.inject('GET /'))).toEqual([502, 'upstream.tls_failed'])
    expect(await gateway.recorded(1)).toMatchObject([{ status: 502, blame: 'upstream' }])
  }
  expect(sockets.every((socket) => socket.bytesRead === 0 || socket.destroyed)).toBe(true)
})

test('a target that speaks no TLS, or wants a certificate that we lack, is a 502', async () => {
  const plain = await rawUpstream(async (wire) => {
    await wire.take(1)
    wire.socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')
  })
  const one = await testGateway({ target: plain.url.replace('http:', 'https:'), upstream: { tls: { verify: false } } })
  expect(codeOf(await one.inject('GET /'))).toEqual([502, 'upstream.tls_failed'])
  const { port } = await secureUpstream({ requestCert: true, ca: authority.cert, rejectUnauthorized: true })
  const tls = { ca: authority.cert, serverName: 'books.test' }
  const other = await testGateway({ target: `https://127.0.0.1:${port}`, upstream: { tls } })
  const refused = await other.inject('POST /', { body: 'x' })
  expect(refused.status).toBe(502)
  expect(await other.recorded(1)).toMatchObject([{ blame: 'upstream' }])
})

test('an upstream of HTTP/2 serves many requests of clients of HTTP/1.1 over one connection', async () => {
  const http2 = createHttp2Server((request, response) => {
    response.end(`${request.method} ${request.url} ${request.httpVersion}`)
  })
  let sessions = 0
  http2.on('session', (session) => {
    sessions++
    onTestFinished(() => session.destroy())
  })
  http2.listen(0, '127.0.0.1')
  await once(http2, 'listening')
  onTestFinished(() => void http2.close())
  const target = `http://127.0.0.1:${(http2.address() as AddressInfo).port}`
  const gateway = await testGateway({ target, upstream: { protocol: 'http2' } })
  const clients = await Promise.all([dial(gateway.port), dial(gateway.port), dial(gateway.port)])
  const answers = await Promise.all(clients.map((client, at) => client.get(`/${at}`)))
  expect(answers.map(({ body }) => body)).toEqual(['GET /0 2.0', 'GET /1 2.0', 'GET /2 2.0'])
  expect(sessions).toBe(1)
})
