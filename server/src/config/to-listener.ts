/** Settings of the gateway to the listener of a snapshot. */
import { X509Certificate } from 'node:crypto'
import type { ListenerSpec } from '../kernel/snapshot.ts'
import { serverNames } from './certificate-chain.ts'
import type { CertificateSettings } from './schema/certificate.ts'
import { tlsSettings, type GatewaySettings } from './schema/gateway.ts'
import { toMs } from './to-upstream.ts'

/** Durations become milliseconds; certificates of the settings come first, those of the document behind them. */
export function toListenerSpec(settings: GatewaySettings, certificates: readonly CertificateSettings[]): ListenerSpec {
  const { limits } = settings
  return {
    tls: toTls(settings.tls, certificates),
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

/** Certificates alone are reason enough to terminate TLS. */
function toTls(given: GatewaySettings['tls'], certificates: readonly CertificateSettings[]): ListenerSpec['tls'] {
  if (given === undefined && certificates.length === 0) return undefined
  const { clientCa, clientCertificate, minVersion, certificates: inline } = given ?? tlsSettings.parse({})
  return {
    certificates: [
      ...inline.map(({ cert, key, names }) => ({ names: names.length > 0 ? names : namesIn(cert), cert, key })),
      ...certificates.map(({ chain, key, names }) => ({ names: namesIn(chain, names), cert: chain, key })),
    ],
    clientCa,
    clientCertificate,
    minVersion,
  }
}

function namesIn(cert: string, given: readonly string[] = []): string[] {
  return serverNames(new X509Certificate(cert), given)
}
