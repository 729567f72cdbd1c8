/**
 * TLS towards clients. Each connection is wrapped with the settings of the runtime that is current when it comes, so a
 * reload changes certificates for new connections and touches no other. Ticket keys belong to the process and not to a
 * snapshot: sessions are resumed across reloads and worker threads.
 */
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls'
import type { ClientCertificate } from '../kernel/exchange.ts'
import type { ListenerSpec } from '../kernel/snapshot.ts'

/** Bytes of keys for session tickets (RFC 5077) that OpenSSL takes. */
export const TICKET_KEY_BYTES = 48
/** What OpenSSL takes of a session's context. */
const MAX_CONTEXT_CHARS = 32

/**
 * Mozilla's intermediate configuration (version 5): only suites with forward secrecy and authenticated encryption. All are
 * good, so the client chooses among them: one with AES in hardware takes AES-128, one without takes ChaCha20. See `docs/decisions/009-the-client-chooses-the-cipher.md`.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

type TlsSpec = NonNullable<ListenerSpec['tls']>

/**
 * A `tls.Server` that never listens: it is handed the listener's sockets. Unlike a `TLSSocket` on its own it asks
 * OpenSSL for its verdict on a client's certificate and passes errors on that come after the handshake.
 */
export class TlsAcceptor {
  private readonly server: Server
  private readonly exact = new Map<string, SecureContext>()
  private readonly fallback: SecureContext
  /** Who waits for a handshake, by the addresses of its connection. */
  private readonly opening = new Map<string, (outcome: TLSSocket | Error) => void>()

  /** Throws when a certificate or key cannot be used. The first certificate serves clients that name no known host. */
  constructor(spec: TlsSpec, ticketKeys: Buffer, handshakeTimeout: number) {
    const { clientCa: ca, clientCertificate, minVersion } = spec
    // A session carries what was found of the client's certificate: it is resumed only under the rules it was made by.
    const rules = createHash('sha256').update(`${clientCertificate} ${ca ?? ''}`)
    const sessionIdContext = rules.digest('hex').slice(0, MAX_CONTEXT_CHARS)
    const [first] = spec.certificates
    if (first === undefined) throw new Error('TLS needs a certificate')
    const contexts = spec.certificates.map(({ cert, key, names }) => {
      const context = createSecureContext({ cert, key, ca, minVersion, ciphers: CIPHERS, ticketKeys, sessionIdContext })
      for (const name of names) if (!this.exact.has(name)) this.exact.set(name, context)
      return context
    })
    this.fallback = contexts[0] ?? createSecureContext()
    this.server = createServer({
      cert: first.cert,
      key: first.key,
      ca,
      minVersion,
      ciphers: CIPHERS,
      honorCipherOrder: false,
      ticketKeys,
      sessionIdContext,
      handshakeTimeout,
      SNICallback: (name, done) => done(null, this.contextFor(name.toLowerCase())),
      ALPNProtocols: ['h2', 'http/1.1'],
      requestCert: clientCertificate !== 'none',
      rejectUnauthorized: clientCertificate === 'require',
    })
    this.server.on('secureConnection', (socket) => this.opening.get(toKey(socket))?.(socket))
    this.server.on('tlsClientError', (cause, socket) => this.opening.get(toKey(socket))?.(cause))
  }

  /** Resolves when the handshake is done; rejects when it fails, takes too long or shows no certificate that it must. */
  accept(raw: Socket): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      if (raw.destroyed || raw.remoteAddress === undefined) throw new Error('the client has left before TLS')
      const key = toKey(raw)
      const settle = (outcome: TLSSocket | Error): void => {
        this.opening.delete(key)
        raw.off('close', closed)
        if (outcome instanceof Error) reject(outcome)
        else resolve(outcome)
      }
      const closed = (): void => settle(new Error('the TLS handshake was broken off'))
      this.opening.set(key, settle)
      raw.once('close', closed)
      this.server.emit('connection', raw)
    })
  }

  private contextFor(name: string): SecureContext {
    const wildcard = '*' + name.slice(name.indexOf('.'))
    return this.exact.get(name) ?? this.exact.get(wildcard) ?? this.fallback
  }
}

/** What policies may know of the client's certificate; undefined when it showed none. */
export function toClientCertificate(socket: TLSSocket): ClientCertificate | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const { subject, issuer, fingerprint256, serialNumber } = certificate
  return { subject, issuer, fingerprint256, serialNumber, verified: socket.authorized }
}

/** The same for a socket and for the TLS socket that wraps it, and no other connection has it at the same time. */
function toKey({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
