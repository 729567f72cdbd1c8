/**
 * TLS towards clients. Each connection is wrapped with the settings of the runtime that is current when it comes, so a
 * reload changes certificates for new connections and touches no other. Ticket keys belong to the process and not to a
 * snapshot: sessions are resumed across reloads and worker threads.
 */
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls'
import type { ClientCertificate } from '../kernel/exchange.ts'
import type { ListenerSpec } from '../kernel/snapshot.ts'

/** Bytes of keys for session tickets (RFC 5077) that OpenSSL takes. */
export const TICKET_KEY_BYTES = 48

/** What OpenSSL takes of it. */
const MAX_CONTEXT_CHARS = 32

type TlsSpec = NonNullable<ListenerSpec['tls']>

export class TlsAcceptor {
  private readonly spec: TlsSpec
  private readonly exact = new Map<string, SecureContext>()
  private readonly fallback: SecureContext

  /** Throws when a certificate or key cannot be used. The first certificate serves clients that name no known host. */
  constructor(spec: TlsSpec, ticketKeys: Buffer) {
    this.spec = spec
    const { clientCa: ca, clientCertificate, minVersion } = spec
    // A session carries what was found of the client's certificate: it is resumed only under the rules it was made by.
    const rules = createHash('sha256').update(`${clientCertificate} ${ca ?? ''}`)
    const sessionIdContext = rules.digest('hex').slice(0, MAX_CONTEXT_CHARS)
    const contexts = spec.certificates.map(({ cert, key, names }) => {
      const context = createSecureContext({ cert, key, ca, minVersion, ticketKeys, sessionIdContext })
      for (const name of names) if (!this.exact.has(name)) this.exact.set(name, context)
      return context
    })
    const [first] = contexts
    if (first === undefined) throw new Error('TLS needs a certificate')
    this.fallback = first
  }

  /** Begins the handshake; the socket says `secure` when it is done. */
  accept(socket: Socket): TLSSocket {
    const { clientCertificate } = this.spec
    return new TLSSocket(socket, {
      isServer: true,
      secureContext: this.fallback,
      SNICallback: (name, done) => done(null, this.contextFor(name.toLowerCase())),
      ALPNProtocols: ['h2', 'http/1.1'],
      requestCert: clientCertificate !== 'none',
      rejectUnauthorized: clientCertificate === 'require',
    })
  }

  /** The client's certificate once the handshake is done; throws when one is required and this is none. */
  clientOf(socket: TLSSocket): ClientCertificate | undefined {
    const { clientCertificate } = this.spec
    if (clientCertificate === 'none') return undefined
    const certificate = toClientCertificate(socket)
    if (clientCertificate === 'require' && certificate?.verified !== true) {
      throw new Error(`the client has no certificate of an accepted authority (${certificate?.subject ?? 'none'})`)
    }
    return certificate
  }

  private contextFor(name: string): SecureContext {
    const wildcard = '*' + name.slice(name.indexOf('.'))
    return this.exact.get(name) ?? this.exact.get(wildcard) ?? this.fallback
  }
}

/** What policies may know of the client's certificate; undefined when it showed none. */
function toClientCertificate(socket: TLSSocket): ClientCertificate | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const { subject, issuer, fingerprint256, serialNumber } = certificate
  return { subject, issuer, fingerprint256, serialNumber, verified: isVerified(socket) }
}

/**
 * Whether OpenSSL found the client's chain to end at an accepted authority. `tls.Server` asks that of its own sockets
 * and a `TLSSocket` alone does not, so that `authorized` says nothing here. What cannot be asked is not verified.
 */
function isVerified(socket: TLSSocket): boolean {
  const handle: unknown = '_handle' in socket ? socket._handle : undefined
  if (typeof handle !== 'object' || handle === null || !('verifyError' in handle)) return false
  return typeof handle.verifyError === 'function' && !handle.verifyError()
}
