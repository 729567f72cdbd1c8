/** Configurations that change while a gateway runs: taken when they are right, refused when not, and nothing is lost. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { stringify } from 'yaml'
import { createCertificate } from '../certificates.ts'
import { holdPort } from '../ports.ts'
import { get, GatewayChild, startBackend, startGateway, startLoad, toDocument, until } from './gateway-child.ts'

const LIVE = 'the configuration is live'
const REFUSED = 'the configuration is refused, the old one goes on'
const slow = { timeout: 30_000 }

/** Everything is answered by a policy; the condition keeps the upstream from being one that nobody calls. */
const answering = (status: number): object[] => [{ kind: 'respond', when: "request.path != '/x'", config: { status } }]

test(
  'a file that changes is taken by itself; a bad one is refused with its place, and the old one goes on',
  slow,
  async () => {
    const url = await startBackend()
    const gateway = await startGateway({ document: toDocument(url) })
    expect((await get(gateway.port)).status).toBe(200)

    gateway.write(toDocument(url, { policies: answering(418) }))
    await gateway.event(LIVE)
    expect((await get(gateway.port)).status).toBe(418)

    gateway.write(toDocument(url, { policies: [{ kind: 'respont' }] }))
    const { issues } = await gateway.event(REFUSED)
    expect(issues).toEqual([expect.stringMatching(/headgate\.yaml:\d+:\d+: apis\[0\]\.policies\[0\]\.kind.*`?respond/)])
    expect((await get(gateway.port)).status).toBe(418)
    gateway.write('headgate: [')
    await gateway.event(REFUSED)
    rmSync(gateway.configPath)
    await gateway.event(REFUSED)
    expect((await get(gateway.port)).status).toBe(418)

    gateway.write(toDocument(url, { policies: answering(404) }))
    await gateway.event(LIVE)
    expect((await get(gateway.port)).status).toBe(404)
    expect((await get(gateway.metricsPort, '/metrics')).body).toContain('headgate_reloads_total{result="refused"} 3')
  },
)

test('SIGHUP reads the files again', slow, async () => {
  const url = await startBackend()
  const gateway = await startGateway({ document: toDocument(url) })
  gateway.write(toDocument(url, { policies: answering(418) }))
  gateway.process.kill('SIGHUP')
  await gateway.event(LIVE)
  expect((await get(gateway.port)).status).toBe(418)
})

test('a mounted ConfigMap that swaps its symlink is noticed', slow, async () => {
  const url = await startBackend()
  const mount = mkdtempSync(join(tmpdir(), 'headgate-mount-'))
  onTestFinished(() => rmSync(mount, { recursive: true }))
  // As a kubelet writes it: files are links into `..data`, which is a link to a folder that is never changed.
  const publish = (revision: string, policies: object[]): void => {
    mkdirSync(join(mount, revision))
    writeFileSync(join(mount, revision, 'headgate.yaml'), stringify(toDocument(url, { policies })))
    symlinkSync(revision, join(mount, '..data_tmp'))
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
  }
  publish('..1', [])
  symlinkSync('..data/headgate.yaml', join(mount, 'headgate.yaml'))
  const file = await startGateway({ configPath: join(mount, 'headgate.yaml') })
  const folder = await startGateway({ configPath: mount })
  for (const { port } of [file, folder]) expect((await get(port)).status).toBe(200)
  publish('..2', answering(418))
  for (const gateway of [file, folder]) {
    await gateway.event(LIVE)
    expect((await get(gateway.port)).status).toBe(418)
  }
})

test('reloads under load lose no request, no stream of events and no WebSocket', slow, async () => {
  const server = createServer((request, response) => {
    if (request.url !== '/events') return response.end('ok')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => response.write('data: tick\n\n'), 20)
    return response.on('close', () => clearInterval(timer))
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) =>
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary })),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const gateway = await startGateway({ document: toDocument(url) })

  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/`)
  await once(socket, 'open')
  const events = await fetch(`http://127.0.0.1:${gateway.port}/events`)
  const reader = events.body?.getReader()
  const load = startLoad(gateway.port, 8)
  for (const name of ['a', 'b', 'c', 'd']) {
    const before = load.counts.get(200) ?? 0
    await until(() => (load.counts.get(200) ?? 0) > before + 400)
    // The upstream is another one from now on, as far as the snapshot goes; what is under way stays with the old one.
    gateway.write(
      toDocument(url, {
        names: [name],
        policies: [{ kind: 'headers', config: { request: { set: { 'x-revision': name } } } }],
      }),
    )
    await gateway.event(LIVE)
    socket.send(name)
    const [message] = await once(socket, 'message')
    expect(String(message)).toBe(name)
    expect((await reader?.read())?.done).toBe(false)
  }
  await until(() => (load.counts.get(200) ?? 0) >= 2_000)
  await load.stop()
  expect([...load.counts.keys()]).toEqual([200])
  socket.terminate()
  await reader?.cancel()
})

test('certificates that come with a later configuration open the port for TLS, on all workers', slow, async () => {
  const url = await startBackend()
  const { cert, key } = createCertificate('books.test', { names: ['books.test'] })
  const gateway = await startGateway({ document: toDocument(url) })
  gateway.write(toDocument(url, { gateway: { tls: { certificates: [{ cert, key }] } } }))
  const { tlsPort } = await gateway.event('the port for TLS is open')
  await gateway.event(LIVE)
  const greet = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ port: Number(tlsPort), host: '127.0.0.1', ca: cert, servername: 'books.test' })
      socket.once('error', reject)
      socket.once('data', (bytes: Buffer) => {
        socket.destroy()
        resolve(bytes.toString('latin1', 0, 15))
      })
      socket.write('GET / HTTP/1.1\r\nhost: books.test\r\n\r\n')
    })
  const answers = await Promise.all(Array.from({ length: 20 }, greet))
  expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 200 OK']))
  expect((await get(gateway.port)).status).toBe(200)
})

test('a port for TLS that cannot be opened refuses the configuration that needs it', slow, async () => {
  const url = await startBackend()
  const { cert, key } = createCertificate('books.test', { names: ['books.test'] })
  const { server, port } = await holdPort()
  const gateway = await startGateway({ document: toDocument(url), flags: ['--gateway-tls-port', String(port)] })
  const secured = (status: number): object =>
    toDocument(url, { policies: answering(status), gateway: { tls: { certificates: [{ cert, key }] } } })
  gateway.write(secured(418))
  const { err } = await gateway.event('the configuration could not be taken, the old one goes on')
  expect(err).toMatchObject({
    message: `the configuration has certificates, and port ${port} for TLS cannot be opened (EADDRINUSE)`,
  })
  expect((await get(gateway.port)).status).toBe(200)
  server.close()
  await once(server, 'close')
  gateway.write(secured(404))
  await gateway.event(LIVE)
  expect((await get(gateway.port)).status).toBe(404)
})

test('a first configuration that is refused ends the start with what is wrong', slow, async () => {
  const gateway = new GatewayChild({ document: toDocument('ftp://nowhere') })
  expect(await gateway.exited).toBe(1)
  expect(gateway.errors).toMatch(/headgate\.yaml:\d+:\d+: upstreams\[0\]\.targets\[0\]\.url/)
})
