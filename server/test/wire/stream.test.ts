/** Streams: server-sent events as they come, and WebSockets through the gateway with real clients and servers. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer as createHttpServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws'
import { testGateway, type TestGatewayOptions } from '../test-gateway.ts'
import { dial, echo, rawUpstream } from './wire.ts'

test('events pass one by one as the upstream sends them', async () => {
  const upstream = await rawUpstream()
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  client.send('GET /events HTTP/1.1\r\nhost: a.test\r\naccept: text/event-stream\r\n\r\n')
  const wire = await upstream.next()
  await wire.message()
  wire.send('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n')
  for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
    wire.send(`9\r\n${event}\r\n`)
    expect(await client.through('\n\n')).toContain(event)
  }
  client.socket.destroy()
  await wire.ended
  expect(await gateway.recorded(1)).toMatchObject([{ status: 499, responseBytes: 27 }])
})

async function webSockets(settings: TestGatewayOptions = {}, options: ServerOptions = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options })
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const gateway = await testGateway({ target: `http://127.0.0.1:${port}`, ...settings })
  return { server, gateway, url: `ws://127.0.0.1:${gateway.port}/chat` }
}

test('a WebSocket passes messages both ways, however large, and closes with its code', async () => {
  const { server, gateway, url } = await webSockets()
  server.on('connection', (socket) => {
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }))
    socket.on('close', (code) => expect(code).toBe(4001))
  })
  const client = new WebSocket(url, ['chat'])
  await once(client, 'open')
  expect(client.protocol).toBe('chat')
  for (const text of ['hello', 'x'.repeat(300_000)]) {
    client.send(text)
    const [answer] = await once(client, 'message')
    expect(String(answer)).toBe(text)
  }
  client.close(4001, 'done')
  const [code] = await once(client, 'close')
  expect(code).toBe(4001)
  const [record] = await gateway.recorded(1)
  expect(record).toMatchObject({ status: 101, problem: '' })
  expect(record?.requestBytes).toBeGreaterThan(300_000)
  expect(record?.responseBytes).toBeGreaterThan(300_000)
})

test('the upstream can end a WebSocket, and one that breaks is broken for the client', async () => {
  const { server, url } = await webSockets()
  server.once('connection', (socket) => socket.close(1001, 'going'))
  const [code] = await once(new WebSocket(url), 'close')
  expect(code).toBe(1001)
  server.once('connection', (socket) => socket.terminate())
  const [broken] = await once(new WebSocket(url), 'close')
  expect(broken).toBe(1006)
})

test('a client that vanishes ends the WebSocket at the upstream', async () => {
  const { server, url } = await webSockets()
  const client = new WebSocket(url)
  const [[socket]] = await Promise.all([once(server, 'connection'), once(client, 'open')])
  client.terminate()
  const [code] = await once(socket, 'close')
  expect(code).toBe(1006)
})

test('policies stand before a WebSocket as before every request', async () => {
  const { server, gateway, url } = await webSockets({ policies: [{ kind: 'key-auth' }] })
  const client = new WebSocket(url)
  const [, response] = await once(client, 'unexpected-response')
  expect(response.statusCode).toBe(401)
  expect(server.clients.size).toBe(0)
  expect(await gateway.recorded(1)).toMatchObject([{ status: 401 }])
})

test('an upstream that refuses the upgrade is heard, and its connection serves again', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.message()
    wire.send('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno')
    await echo(wire)
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat`)
  const [, response] = await once(client, 'unexpected-response')
  expect(response.statusCode).toBe(403)
  expect((await gateway.inject('GET /next')).body).toBe('GET /next HTTP/1.1 ')
  expect(upstream.wires).toHaveLength(1)
})

test('an upstream that agrees to an upgrade nobody asked for is malformed', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.message()
    wire.send('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
  })
  const gateway = await testGateway({ target: upstream.url, upstream: { retries: { attempts: 0 } } })
  expect((await gateway.inject('GET /')).status).toBe(502)
})

test('an upgrade to anything but WebSocket is an ordinary request, and smuggles nothing past the policies', async () => {
  const upstream = await rawUpstream(async (wire) => {
    const { fields } = await wire.message()
    expect(fields).not.toHaveProperty('upgrade')
    expect(fields).not.toHaveProperty('http2-settings')
    expect(fields).not.toHaveProperty('connection')
    wire.send('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
  })
  const gateway = await testGateway({ target: upstream.url })
  const client = await dial(gateway.port)
  const lines = 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n'
  expect((await client.get('/', lines)).body).toBe('ok')
})

test('a target that is an HTTP server of Node gets WebSockets as well', async () => {
  const http = createHttpServer()
  const server = new WebSocketServer({ server: http })
  server.on('connection', (socket, request) => socket.send(request.headers['x-forwarded-proto'] ?? ''))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  onTestFinished(() => void http.close())
  const gateway = await testGateway({ target: `http://127.0.0.1:${(http.address() as AddressInfo).port}` })
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/`)
  const [message] = await once(client, 'message')
  expect(String(message)).toBe('http')
  client.terminate()
})
