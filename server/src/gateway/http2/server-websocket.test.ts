/** WebSocket over HTTP/2 (RFC 8441): extended CONNECT on this side, the upgrade of HTTP/1.1 towards the upstream. */
import { once } from 'node:events'
import { connect, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { testGateway, type TestGateway } from '../../../test/test-gateway.ts'

async function openGateway(): Promise<TestGateway> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  server.on('connection', (socket) => {
    socket.on('message', (bytes: Buffer, isBinary) => socket.send(bytes, { binary: isBinary }))
  })
  onTestFinished(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  return testGateway({ target: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

async function openTunnel(
  gateway: TestGateway,
  fields: Record<string, string> = {},
): Promise<[ClientHttp2Stream, IncomingHttpHeaders]> {
  const session = connect(`http://127.0.0.1:${gateway.port}`)
  onTestFinished(() => session.destroy())
  const [settings] = (await once(session, 'remoteSettings')) as [{ enableConnectProtocol: boolean }]
  expect(settings.enableConnectProtocol).toBe(true)
  const connectFields = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat', ...fields }
  const stream = session.request(connectFields, { endStream: false })
  stream.on('error', () => undefined)
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders]
  return [stream, headers]
}

/** A text frame as clients send it (RFC 6455 §5.2), masked with zeroes. */
function toTextFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])
}

test('messages go both ways until the client closes', async () => {
  const gateway = await openGateway()
  const [stream, headers] = await openTunnel(gateway)
  expect(headers).toMatchObject({ ':status': 200 })
  expect(Object.keys(headers)).not.toContain('sec-websocket-accept')
  for (const word of ['one', 'two']) {
    stream.write(toTextFrame(word))
    const [answer] = (await once(stream, 'data')) as [Buffer]
    expect(answer.subarray(2).toString()).toBe(word)
  }
  stream.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]))
  stream.end()
  await once(stream, 'close')
  expect((await gateway.recorded(1)).map(({ status }) => status)).toEqual([101])
})

test('what is no WebSocket is not tunnelled', async () => {
  const [, other] = await openTunnel(await openGateway(), { ':protocol': 'other' })
  expect(other).toMatchObject({ ':status': 400 })
  const [, version] = await openTunnel(await openGateway(), { 'sec-websocket-version': '8' })
  expect(version).toMatchObject({ ':status': 426 })
})
