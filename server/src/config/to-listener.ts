/** Settings of the gateway to the listener of a snapshot. */
import { X509Certificate } from 'node:crypto'
import type { ListenerSpec } from '../kernel/snapshot.ts'
import type { GatewaySettings } from './schema/gateway.ts'
import { toMs } from './to-upstream.ts'

/** Durations become milliseconds, and a certificate without names gets those that it is for. */
export function toListenerSpec(settings: GatewaySettings): ListenerSpec {
  const { limits, tls } = settings
  return {
    tls: tls && {
      certificates: tls.certificates.map(({ cert, key, names }) => ({
        names: names.length > 0 ? names : namesOf(cert),
        cert,
        key,
      })),
      clientCa: tls.clientCa,
      clientCertificate: tls.clientCertificate,
      minVersion: tls.minVersion,
    },
    limits: {
      maxHeadBytes: limits.maxHeadBytes,
      maxFields: limits.maxFields,
      maxTargetBytes: limits.maxTargetBytes,
      maxBodyBytes: limits.maxBodyBytes,
      headMs: toMs(limits.headSeconds),
      idleMs: toMs(limits.idleSeconds),
      requestMs: toMs(limits.requestSeconds),
      minBodyBytesPerSecond: limits.minBodyBytesPerSecond,
      maxConnections: limits.maxConnections,
      maxInFlight: limits.maxInFlight,
      maxHeldBodyBytes: limits.maxHeldBodyBytes,
      maxRequestsPerConnection: limits.maxRequestsPerConnection,
    },
    trustedProxies: settings.trustedProxies,
    forwardedField: settings.forwardedField,
    proxyProtocol: settings.proxyProtocol,
    halfClose: settings.halfClose,
    debugKey: settings.debugKey,
    accessLog: { enabled: settings.accessLog.enabled },
    serverTiming: settings.serverTiming,
    drainDelayMs: toMs(settings.drain.delaySeconds),
    drainTimeoutMs: toMs(settings.drain.timeoutSeconds),
  }
}

/** The DNS names that a certificate is for (RFC 9525 §2: the subject's common name is not one of them). */
function namesOf(cert: string): string[] {
  const alternatives = new X509Certificate(cert).subjectAltName ?? ''
  return alternatives.split(', ').flatMap((each) => (each.startsWith('DNS:') ? [each.slice(4).toLowerCase()] : []))
}
