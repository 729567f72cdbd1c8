import { once } from 'node:events'
import { createServer } from 'node:net'
import { createServer as createTlsServer, TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { createCertificate } from '../../../test/certificates.ts'
import { listenLocally } from '../../../test/local-server.ts'
import { localEndpoint } from '../../../test/test-upstream.ts'
import type { UpstreamTlsSpec } from '../../kernel/snapshot.ts'
import { toConnectError } from './connect-error.ts'
import { type Connectable, openSocket } from './open-socket.ts'
import { toUpstreamTls, type UpstreamTls } from './tls-options.ts'

function tlsOf(spec: Partial<UpstreamTlsSpec>): UpstreamTls {
  const none = { ca: undefined, cert: undefined, key: undefined, serverName: undefined, verify: true }
  return toUpstreamTls({ protocol: 'http1', tls: { ...none, ...spec } })
}

async function readAll(target: Connectable, tls?: UpstreamTls): Promise<string> {
  let text = ''
  const socket = openSocket(target, tls, (bytes, end) => (text += bytes.toString('latin1', 0, end)))
  onTestFinished(() => void socket.destroy())
  await once(socket, 'close')
  return text
}

async function failureOf(target: Connectable, tls: UpstreamTls): Promise<string> {
  const socket = openSocket(target, tls)
  onTestFinished(() => void socket.destroy())
  let isReached = false
  socket.once('connect', () => (isReached = true))
  const [cause] = await once(socket, 'error')
  return toConnectError(cause, isReached).kind
}

const authority = createCertificate('Test CA')
const leaf = createCertificate('books', { names: ['books.test', '127.0.0.1'], issuer: authority })

test('a plain socket gives what it reads to its reader', async () => {
  const port = await listenLocally(createServer((socket) => socket.end('hello')))
  expect(await readAll({ endpoint: localEndpoint(port), tlsSession: undefined })).toBe('hello')
})

test('when one address of a name refuses, the other IP version is tried within the same connection', async () => {
  const port = await listenLocally(createServer((socket) => socket.end('hello')))
  const endpoint = { ...localEndpoint(port), host: 'books.test', addresses: ['::1', '127.0.0.1'] }
  expect(await readAll({ endpoint, tlsSession: undefined })).toBe('hello')
})

test('TLS proves the name of the target, of the settings, or its address', async () => {
  const port = await listenLocally(createTlsServer({ cert: leaf.cert, key: leaf.key }, (socket) => socket.end('safe')))
  const target = { endpoint: localEndpoint(port, 'https'), tlsSession: undefined }
  const named = { endpoint: { ...target.endpoint, host: 'books.test' }, tlsSession: undefined }
  expect(await readAll(target, tlsOf({ ca: authority.cert }))).toBe('safe')
  expect(await readAll(named, tlsOf({ ca: authority.cert }))).toBe('safe')
  expect(await readAll(target, tlsOf({ ca: authority.cert, serverName: 'books.test' }))).toBe('safe')
})

test('TLS fails for another name, for an unknown authority, and is not checked when the settings say so', async () => {
  const port = await listenLocally(createTlsServer({ cert: leaf.cert, key: leaf.key }, (socket) => socket.end('safe')))
  const target = { endpoint: { ...localEndpoint(port, 'https'), host: 'other.test' }, tlsSession: undefined }
  expect(await failureOf(target, tlsOf({ ca: authority.cert }))).toBe('tls')
  expect(await failureOf(target, tlsOf({}))).toBe('tls')
  expect(await failureOf(target, tlsOf({ ca: authority.cert, serverName: '10.0.0.1' }))).toBe('tls')
  expect(await readAll(target, tlsOf({ verify: false }))).toBe('safe')
})

test('a target that asks for a certificate gets the configured one', async () => {
  const client = createCertificate('gateway', { issuer: authority })
  const options = { cert: leaf.cert, key: leaf.key, ca: authority.cert, requestCert: true }
  const server = createTlsServer(options, (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)))
  const target = { endpoint: localEndpoint(await listenLocally(server), 'https'), tlsSession: undefined }
  expect(await readAll(target, tlsOf({ ca: authority.cert, cert: client.cert, key: client.key }))).toBe('gateway')
})

test('the next connection to a target resumes its TLS session', async () => {
  const port = await listenLocally(createTlsServer({ cert: leaf.cert, key: leaf.key }, (socket) => socket.end('safe')))
  const target: Connectable = { endpoint: localEndpoint(port, 'https'), tlsSession: undefined }
  const tls = tlsOf({ ca: authority.cert })
  await readAll(target, tls)
  expect(target.tlsSession).toBeDefined()
  const again = openSocket(target, tls)
  onTestFinished(() => void again.destroy())
  await once(again, 'secureConnect')
  expect(again instanceof TLSSocket && again.isSessionReused()).toBe(true)
})

test('settings that are no PEM texts are refused when they are parsed', () => {
  expect(() => tlsOf({ ca: 'nonsense', cert: 'nonsense', key: 'nonsense' })).toThrow(/PEM|no start line|asn1/i)
})
