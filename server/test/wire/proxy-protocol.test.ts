/** The PROXY header of a balancer before a connection: believed from trusted networks, required there. */
import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { createCertificate } from '../certificates.ts'
import { testGateway, type TestGateway } from '../test-gateway.ts'
import { dial, Wire } from './wire.ts'

const certificate = createCertificate('books.test', { names: ['books.test'] })
const tls = { certificates: [{ cert: certificate.cert, key: certificate.key }] }
const request = 'GET / HTTP/1.1\r\nhost: a.test\r\n\r\n'

const behindBalancer = (trustedProxies: readonly string[], gateway: object = {}): Promise<TestGateway> =>
  testGateway({ document: { gateway: { proxyProtocol: true, trustedProxies, ...gateway } } })

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

/** A header of version 2: command (1 PROXY, 0 LOCAL), family, addresses and what follows them. */
function version2(command: number, family: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const fixed = Buffer.from([0x20 | command, family, content.length >> 8, content.length & 255])
  return Buffer.concat([SIGNATURE, fixed, content])
}

const ports = Buffer.from([0x30, 0x39, 0x00, 0x50])
const ipv6 = Buffer.from(`20010db8${'0'.repeat(23)}1`, 'hex')
const headers: Record<string, [header: Buffer, ip: string]> = {
  'version 1 with IPv4': [Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 12345 80\r\n'), '192.0.2.7'],
  'version 1 with IPv6': [Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 12345 80\r\n'), '2001:db8::1'],
  'version 1 of the balancer itself': [Buffer.from('PROXY UNKNOWN\r\n'), '127.0.0.1'],
  'version 2 with IPv4': [version2(1, 0x11, Buffer.from([192, 0, 2, 7, 198, 51, 100, 1]), ports), '192.0.2.7'],
  'version 2 with IPv6': [version2(1, 0x21, ipv6, ipv6, ports), '2001:db8::1'],
  'version 2 with extensions': [
    version2(1, 0x11, Buffer.from([192, 0, 2, 7, 198, 51, 100, 1]), ports, Buffer.from('040003616263', 'hex')),
    '192.0.2.7',
  ],
  'version 2 of the balancer itself': [version2(0, 0), '127.0.0.1'],
}

for (const [what, [header, ip]] of Object.entries(headers)) {
  test(`${what}: the client's address is known, on a plain connection and before TLS`, async () => {
    const gateway = await behindBalancer(['127.0.0.0/8'], { tls })
    for (const pieces of [
      [Buffer.concat([header, Buffer.from(request)])],
      [...header].map((byte) => Buffer.of(byte)),
    ]) {
      const client = await dial(gateway.port)
      for (const piece of pieces) client.send(piece)
      if (pieces.length > 1) client.send(request)
      expect((await client.message()).status).toBe(200)
    }
    const balancer = await dial(await gateway.thread.listen('127.0.0.1', 0, true))
    balancer.send(header)
    balancer.socket.removeAllListeners('data')
    const socket = connectTls({ socket: balancer.socket, ca: certificate.cert, servername: 'books.test' })
    onTestFinished(() => void socket.destroy())
    await once(socket, 'secureConnect')
    expect((await new Wire(socket).get('/')).status).toBe(200)
    expect((await gateway.recorded(3)).map((record) => record.ip)).toEqual([ip, ip, ip])
    expect(gateway.seen.map(({ headers: seen }) => [seen['x-forwarded-for'], seen['x-forwarded-proto']])).toEqual([
      [ip, 'http'],
      [ip, 'http'],
      [ip, 'https'],
    ])
  })
}

test('kept connections keep the address that their header named', async () => {
  const gateway = await behindBalancer(['127.0.0.1'])
  const client = await dial(gateway.port)
  client.send('PROXY TCP4 192.0.2.7 198.51.100.1 12345 80\r\n')
  for (let i = 0; i < 3; i++) await client.get('/')
  expect((await gateway.recorded(3)).map(({ ip }) => ip)).toEqual(['192.0.2.7', '192.0.2.7', '192.0.2.7'])
})

const wrong: Record<string, Buffer | string> = {
  'no header': request,
  'another word': 'PROXX TCP4 192.0.2.7 198.51.100.1 1 2\r\n',
  'no address': 'PROXY TCP4 books.test 198.51.100.1 1 2\r\n',
  'a port too high': 'PROXY TCP4 192.0.2.7 198.51.100.1 70000 2\r\n',
  'an endless line': `PROXY ${'x'.repeat(200)}`,
  'another version': Buffer.concat([SIGNATURE, Buffer.from([0x31, 0x11, 0, 12]), Buffer.alloc(12)]),
  'addresses that are cut short': version2(1, 0x11, Buffer.from([192, 0, 2])),
}
for (const [what, bytes] of Object.entries(wrong)) {
  test(`${what} where a header is required: the connection is dropped, and others go on`, async () => {
    const gateway = await behindBalancer(['127.0.0.1'])
    const client = await dial(gateway.port)
    client.send(bytes)
    client.send(request)
    await client.ended
    expect([client.unread, gateway.seen, gateway.records]).toEqual(['', [], []])
    const other = await dial(gateway.port)
    other.send('PROXY UNKNOWN\r\n')
    expect((await other.get('/')).status).toBe(200)
  })
}

test('a header of nobody trusted is refused, and one that does not come is not waited for long', async () => {
  const strict = await behindBalancer(['192.0.2.0/24'])
  const client = await dial(strict.port)
  client.send(`PROXY TCP4 192.0.2.7 198.51.100.1 12345 80\r\n${request}`)
  await client.ended
  expect([client.unread, strict.seen]).toEqual(['', []])
  const patient = await behindBalancer(['127.0.0.1'], { limits: { headSeconds: 0.3 } })
  const silent = await dial(patient.port)
  silent.send('PROXY TCP4 ')
  await silent.ended
  expect(patient.records).toEqual([])
})

test('without the setting a header is no request', async () => {
  const gateway = await testGateway({ document: { gateway: { trustedProxies: ['127.0.0.1'] } } })
  const client = await dial(gateway.port)
  client.send(`PROXY TCP4 192.0.2.7 198.51.100.1 12345 80\r\n${request}`)
  expect((await client.message()).status).toBe(501)
  expect(gateway.seen).toEqual([])
})
