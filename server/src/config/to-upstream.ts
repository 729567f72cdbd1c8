/** Upstream settings in seconds to the upstream of a snapshot in milliseconds. */
import type { TimeoutSpec, UpstreamSpec } from '../kernel/snapshot.ts'
import type { TimeoutOverrides } from './schema/resilience.ts'
import type { UpstreamSettings } from './schema/upstream.ts'

export function toUpstreamSpec(settings: UpstreamSettings): UpstreamSpec {
  const { healthCheck, outlierDetection, circuitBreaker, retries, connections, tls } = settings
  return {
    name: settings.name,
    protocol: settings.protocol,
    targets: settings.targets,
    loadBalancing: { algorithm: settings.loadBalancing.algorithm, hashBy: settings.loadBalancing.hashBy },
    healthCheck: healthCheck && {
      path: healthCheck.path,
      intervalMs: toMs(healthCheck.intervalSeconds),
      timeoutMs: toMs(healthCheck.timeoutSeconds),
      healthyAfter: healthCheck.healthyAfter,
      unhealthyAfter: healthCheck.unhealthyAfter,
      statuses: healthCheck.statuses,
    },
    outlierDetection: outlierDetection.enabled
      ? {
          consecutiveFailures: outlierDetection.consecutiveFailures,
          baseEjectionMs: toMs(outlierDetection.baseEjectionSeconds),
          maxEjectionMs: toMs(outlierDetection.maxEjectionSeconds),
          maxEjectedPercent: outlierDetection.maxEjectedPercent,
        }
      : undefined,
    circuitBreaker: circuitBreaker && {
      failurePercent: circuitBreaker.failurePercent,
      minimumRequests: circuitBreaker.minimumRequests,
      windowMs: toMs(circuitBreaker.windowSeconds),
      openMs: toMs(circuitBreaker.openSeconds),
    },
    retries: {
      attempts: retries.attempts,
      budgetPercent: retries.budgetPercent,
      budgetMinPerSecond: retries.budgetMinPerSecond,
      statuses: retries.statuses,
      backoffMs: toMs(retries.backoffSeconds),
    },
    timeouts: toTimeoutSpec(settings.timeouts),
    connections: {
      maxPerTarget: connections.maxPerTarget,
      maxWaiting: connections.maxWaiting,
      idleMs: toMs(connections.idleSeconds),
    },
    tls: tls && { ca: tls.ca, cert: tls.cert, key: tls.key, serverName: tls.serverName, verify: tls.verify },
    headers: settings.headers.map(({ name, value }) => ({ name: name.toLowerCase(), value })),
    resolveSeconds: settings.resolveSeconds,
  }
}

/** The timeouts of a route: its own over those of its API over those of the upstream; undefined when it has none. */
export function toRouteTimeouts(
  own: TimeoutOverrides | undefined,
  ofApi: TimeoutOverrides | undefined,
  ofUpstream: UpstreamSettings['timeouts'] | undefined,
): TimeoutSpec | undefined {
  if (ofUpstream === undefined || (own === undefined && ofApi === undefined)) return undefined
  return toTimeoutSpec({ ...ofUpstream, ...ofApi, ...own })
}

function toTimeoutSpec(timeouts: UpstreamSettings['timeouts']): TimeoutSpec {
  return {
    connectMs: toMs(timeouts.connectSeconds),
    firstByteMs: toMs(timeouts.firstByteSeconds),
    idleMs: toMs(timeouts.idleSeconds),
    totalMs: toMs(timeouts.totalSeconds),
  }
}

/** Seconds of a configuration, with fractions, to whole milliseconds. */
export function toMs(seconds: number): number {
  return Math.round(seconds * 1000)
}
