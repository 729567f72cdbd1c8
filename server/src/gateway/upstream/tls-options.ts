/** TLS towards the targets of an upstream: who is trusted, what is shown, which name has to be proved. */
import { isIP } from 'node:net'
import { checkServerIdentity, type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls'
import type { UpstreamSpec } from '../../kernel/snapshot.ts'
import type { Endpoint } from './endpoint.ts'

export interface UpstreamTls {
  /** CA and client certificate, parsed once and not for each connection. */
  readonly context: SecureContext
  readonly serverName: string | undefined
  readonly verify: boolean
  readonly protocol: UpstreamSpec['protocol']
}

const SYSTEM_TRUST = { ca: undefined, cert: undefined, key: undefined, serverName: undefined, verify: true }

const parsed = new WeakMap<object, UpstreamTls>()

/**
 * The TLS settings of an upstream, parsed once for all its targets and connections. Without `spec.tls` the CAs of Node
 * are trusted. Throws when a PEM text of the configuration cannot be used.
 */
export function toUpstreamTls(spec: Pick<UpstreamSpec, 'tls' | 'protocol'>): UpstreamTls {
  let tls = parsed.get(spec)
  if (tls === undefined) {
    const { ca, cert, key, serverName, verify } = spec.tls ?? SYSTEM_TRUST
    const context = createSecureContext({ ca, cert, key, minVersion: 'TLSv1.2' })
    tls = { context, serverName, verify, protocol: spec.protocol }
    parsed.set(spec, tls)
  }
  return tls
}

/** Options of `tls.connect` for one connection; `session` is that of an earlier connection to the same endpoint. */
export function toTlsOptions(tls: UpstreamTls, endpoint: Endpoint, session: Buffer | undefined): ConnectionOptions {
  const name = tls.serverName ?? endpoint.host
  return {
    secureContext: tls.context,
    // An address is never sent as a server name (RFC 6066 §3), but the certificate has to prove it all the same.
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    rejectUnauthorized: tls.verify,
    ALPNProtocols: tls.protocol === 'http2' ? ['h2'] : ['http/1.1'],
    session,
  }
}
