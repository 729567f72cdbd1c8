/** TLS towards clients: names, protocols, new certificates, sessions, certificates of clients. */
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createCertificate, type TestCertificate } from '../certificates.ts'
import { testGateway, type TestGateway, type TestGatewayOptions } from '../test-gateway.ts'
import { rawUpstream, Wire } from './wire.ts'

const authority = createCertificate('authority')
const strangers = createCertificate('strangers')
const certify = (...names: string[]): TestCertificate => createCertificate(names[0] ?? '', { names, issuer: authority })
const books = certify('books.test')
const client = createCertificate('acme', { issuer: authority })
const stranger = createCertificate('acme', { issuer: strangers })

const toDocument = (certificates: readonly TestCertificate[], tls: object = {}, gateway: object = {}) => ({
  gateway: { tls: { certificates: certificates.map(({ cert, key }) => ({ cert, key })), ...tls }, ...gateway },
})

interface SecureGateway extends TestGateway {
  readonly tlsPort: number
}

async function secureGateway(document: object, options: TestGatewayOptions = {}): Promise<SecureGateway> {
  const gateway = await testGateway({ ...options, document })
  return { ...gateway, tlsPort: await gateway.thread.listen('127.0.0.1', 0, true) }
}

interface Secured extends Wire {
  readonly socket: TLSSocket
}

/** A client's connection, once its handshake is done as far as the client knows. */
async function dialTls(port: number, servername: string, options: ConnectionOptions = {}): Promise<Secured> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority.cert, servername, ...options })
  const wire = Object.assign(new Wire(socket), { socket })
  await once(socket, 'secureConnect')
  return wire
}

/** The session that a client may resume later, of a connection that has served a request. */
async function sessionOf(port: number, options: ConnectionOptions = {}): Promise<Buffer> {
  const wire = await dialTls(port, 'books.test', options)
  // With TLS 1.2 the ticket is part of the handshake, with TLS 1.3 it comes later.
  let session = options.maxVersion === 'TLSv1.2' ? wire.socket.getSession() : undefined
  wire.socket.on('session', (ticket) => (session = ticket))
  await wire.get('/')
  while (session === undefined) await new Promise((resolve) => setImmediate(resolve))
  wire.socket.destroy()
  return session
}

const nameOf = ({ socket }: Secured): unknown => socket.getPeerCertificate().subject.CN

test('the name that a client asks for picks the certificate; the first serves everybody else', async () => {
  const { tlsPort } = await secureGateway(toDocument([books, certify('*.shop.test'), certify('api.shop.test')]))
  const names = { 'books.test': 'books.test', 'a.shop.test': '*.shop.test', 'api.shop.test': 'api.shop.test' }
  for (const [asked, shown] of Object.entries(names)) expect(nameOf(await dialTls(tlsPort, asked))).toBe(shown)
  for (const other of ['other.test', 'a.b.shop.test', 'shop.test']) {
    expect(nameOf(await dialTls(tlsPort, other, { checkServerIdentity: () => undefined }))).toBe('books.test')
  }
})

test('a client gets HTTP/2 or HTTP/1.1, as it asks for by ALPN', async () => {
  const gateway = await secureGateway(toDocument([books]))
  const wire = await dialTls(gateway.tlsPort, 'books.test', { ALPNProtocols: ['http/1.1'] })
  expect([wire.socket.alpnProtocol, (await wire.get('/one')).status]).toEqual(['http/1.1', 200])
  const session = connectHttp2(`https://127.0.0.1:${gateway.tlsPort}`, { servername: 'books.test', ca: authority.cert })
  onTestFinished(() => session.destroy())
  const stream = session.request({ ':path': '/two' })
  const [headers] = await once(stream, 'response')
  expect(headers[':status']).toBe(200)
  expect((await dialTls(gateway.tlsPort, 'books.test')).socket.alpnProtocol).toBe(false)
  expect(gateway.seen.map(({ url, headers: seen }) => [url, seen['x-forwarded-proto']])).toEqual([
    ['/one', 'https'],
    ['/two', 'https'],
  ])
})

test('the client chooses the cipher, and only among those with forward secrecy and authenticated encryption', async () => {
  const { tlsPort } = await secureGateway(toDocument([books]))
  const cipherOf = async (maxVersion: 'TLSv1.2' | 'TLSv1.3', ciphers: string): Promise<string> => {
    const { socket } = await dialTls(tlsPort, 'books.test', { maxVersion, ciphers })
    return socket.getCipher().standardName
  }
  const [first, second] = ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256']
  expect(await cipherOf('TLSv1.3', `${first}:${second}`)).toBe(first)
  expect(await cipherOf('TLSv1.3', `${second}:${first}`)).toBe(second)
  const [third, fourth] = ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256']
  expect(await cipherOf('TLSv1.2', `${third}:${fourth}`)).toBe('TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384')
  for (const weak of ['ECDHE-ECDSA-AES128-SHA', 'AES128-GCM-SHA256']) {
    await expect(cipherOf('TLSv1.2', weak)).rejects.toThrow('handshake failure')
  }
})

test('a new certificate is shown after a reload; open connections go on and sessions are resumed', async () => {
  const gateway = await secureGateway(toDocument([books]))
  const session = await sessionOf(gateway.tlsPort)
  const open = await dialTls(gateway.tlsPort, 'books.test')
  const renewed = certify('books.test')
  await gateway.reload({ document: toDocument([renewed]) })
  const fresh = await dialTls(gateway.tlsPort, 'books.test')
  expect(fresh.socket.getPeerX509Certificate()?.fingerprint256).toBe(renewed.fingerprint256)
  expect((await open.get('/')).status).toBe(200)
  const resumed = await dialTls(gateway.tlsPort, 'books.test', { session })
  expect([resumed.socket.isSessionReused(), (await resumed.get('/')).status]).toEqual([true, 200])
})

test('a session of one thread is resumed by another', async () => {
  const [one, other] = [await secureGateway(toDocument([books])), await secureGateway(toDocument([books]))]
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const session = await sessionOf(one.tlsPort, { maxVersion })
    const resumed = await dialTls(other.tlsPort, 'books.test', { session, maxVersion })
    expect([resumed.socket.isSessionReused(), (await resumed.get('/')).status]).toEqual([true, 200])
  }
})

const require = { clientCa: authority.cert, clientCertificate: 'require' }
const showing = ({ cert, key }: TestCertificate): ConnectionOptions => ({ cert, key })

test('a client needs a certificate of the right authority where one is required, resumed or not', async () => {
  const gateway = await secureGateway(toDocument([books], require))
  expect((await (await dialTls(gateway.tlsPort, 'books.test', showing(client))).get('/')).status).toBe(200)
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const session = await sessionOf(gateway.tlsPort, { ...showing(client), maxVersion })
    const resumed = await dialTls(gateway.tlsPort, 'books.test', { session, maxVersion, ...showing(client) })
    expect([resumed.socket.isSessionReused(), (await resumed.get('/')).status]).toEqual([true, 200])
  }
  for (const options of [{}, showing(stranger)]) {
    const refused = dialTls(gateway.tlsPort, 'books.test', options).then((wire) => wire.get('/'))
    await expect(refused).rejects.toThrow(/over|closed|disconnected|reset|alert/i)
  }
  expect(gateway.seen).toHaveLength(5)
})

test('a session that was made under other rules about certificates is not resumed', async () => {
  const gateway = await secureGateway(toDocument([books]))
  const session = await sessionOf(gateway.tlsPort)
  await gateway.reload({ document: toDocument([books], require) })
  const refused = dialTls(gateway.tlsPort, 'books.test', { session }).then((wire) => wire.get('/'))
  await expect(refused).rejects.toThrow(/over|closed|disconnected|reset|alert/i)
  expect(gateway.seen).toHaveLength(1)
})

test('policies see the certificate of a client that was only asked for one, and trust it only when it is proven', async () => {
  const policies = [
    { kind: 'headers', config: { request: { set: { 'x-client': { expression: 'request.certificate.subject' } } } } },
    { kind: 'respond', when: "request.certificate.subject != 'CN=acme'", config: { status: 403 } },
  ]
  const document = toDocument([books], { ...require, clientCertificate: 'request' })
  const gateway = await secureGateway(document, { policies })
  const asked = { '': 403, stranger: 403, client: 200 }
  for (const [who, status] of Object.entries(asked)) {
    const options = who === '' ? {} : showing(who === 'client' ? client : stranger)
    expect((await (await dialTls(gateway.tlsPort, 'books.test', options)).get('/')).status).toBe(status)
  }
  expect(gateway.seen.map(({ headers }) => headers['x-client'])).toEqual(['CN=acme'])
})

test('a client that does not finish its handshake is dropped in time, and a plain one at once', async () => {
  const gateway = await secureGateway(toDocument([books], {}, { limits: { headSeconds: 0.5 } }))
  const silent = new Wire(connectTcp(gateway.tlsPort, '127.0.0.1'))
  const plain = new Wire(connectTcp(gateway.tlsPort, '127.0.0.1'))
  plain.send('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n')
  await Promise.all([plain.ended, silent.ended])
  expect((await (await dialTls(gateway.tlsPort, 'books.test')).get('/')).status).toBe(200)
  expect(gateway.records).toHaveLength(1)
})

test('a client that breaks TLS within a request has left', async () => {
  const upstream = await rawUpstream()
  const gateway = await secureGateway(toDocument([books]), { target: upstream.url })
  const raw = connectTcp(gateway.tlsPort, '127.0.0.1')
  const wire = await dialTls(gateway.tlsPort, 'books.test', { socket: raw })
  wire.send('POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: 10\r\n\r\nhalf')
  await (await upstream.next()).through('half')
  raw.write('this is no record of TLS')
  expect(await gateway.recorded(1)).toMatchObject([{ status: 499, blame: 'caller', requestBytes: 4 }])
})

test('an answer that breaks off over TLS ends its connection alone', async () => {
  const gateway = await secureGateway(toDocument([books]), {
    respond: (request, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('half', () => request.socket.destroy())
    },
  })
  const [broken, other] = [await dialTls(gateway.tlsPort, 'books.test'), await dialTls(gateway.tlsPort, 'books.test')]
  await expect(broken.get('/')).rejects.toThrow('The connection is over')
  await expect(other.get('/')).rejects.toThrow('The connection is over')
  expect((await gateway.recorded(2)).map(({ blame, problem }) => [blame, problem])).toEqual([
    ['upstream', 'upstream.connection_broken'],
    ['upstream', 'upstream.connection_broken'],
  ])
})

test('a client that takes nothing of its answer over TLS is cut off after the idle time', async () => {
  const upstream = await rawUpstream(async (wire) => {
    await wire.message()
    wire.send('HTTP/1.1 200 OK\r\n\r\n')
    wire.pour()
    await wire.ended
  })
  const document = toDocument([books], {}, { limits: { idleSeconds: 0.5 } })
  const gateway = await secureGateway(document, { target: upstream.url })
  const wire = await dialTls(gateway.tlsPort, 'books.test')
  wire.socket.pause()
  wire.send('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n')
  expect(await gateway.recorded(1)).toMatchObject([{ status: 499, blame: 'caller' }])
})

test.each(['abort', 'answer'] as const)('a connection that its client ends is gone at once (%s)', async (halfClose) => {
  const gateway = await secureGateway(toDocument([books], {}, { halfClose }))
  const plain = connectTcp({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true })
  const bare = connectTcp({ port: gateway.tlsPort, host: '127.0.0.1', allowHalfOpen: true })
  const secure = [
    await dialTls(gateway.tlsPort, 'books.test'),
    await dialTls(gateway.tlsPort, 'books.test', { socket: bare }),
  ]
  for (const each of [...secure, new Wire(plain)]) await each.get('/')
  expect(gateway.thread.openConnections).toBe(3)
  secure[0]?.socket.end()
  // Without the alert that closes TLS.
  bare.end()
  plain.end()
  // A connection that lingers takes two seconds.
  await vi.waitFor(() => expect(gateway.thread.openConnections).toBe(0), 500)
})
