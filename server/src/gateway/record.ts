/** The end of the walk: one record for each exchange, whatever became of it. */
import type { Exchange } from '../kernel/exchange.ts'
import type { ExchangeRecord } from '../kernel/record.ts'

/**
 * Puts together what an exchange left behind; `status` is what the client was sent, 499 when it had left, and `endedMs`
 * when that was on the monotonic clock.
 */
export function toRecord(exchange: Exchange, status: number, endedMs: number): ExchangeRecord {
  const { request, upstream, principal, route } = exchange
  // Of an answer that came from the upstream, only what broke later is a problem of ours to name.
  const definition = exchange.problem?.definition
  return {
    timeMs: exchange.startedAtMs,
    id: exchange.id,
    traceId: toTraceId(request.fields.get('traceparent')),
    ip: request.peer.ip,
    version: request.version,
    method: request.method,
    host: request.host,
    path: request.path,
    route: route === undefined ? '' : route.id,
    api: route === undefined ? '' : route.api,
    consumer: principal === undefined ? '' : (principal.consumer ?? principal.id),
    credential: principal === undefined ? '' : principal.credential,
    status,
    problem: definition === undefined ? '' : definition.code,
    blame: definition === undefined ? (status === 499 ? 'caller' : '') : definition.blame,
    durationMs: endedMs - exchange.startedMs,
    upstreamMs: upstream === undefined || upstream.headMs === 0 ? 0 : upstream.headMs - upstream.startedMs,
    upstream: upstream === undefined ? '' : upstream.name,
    target: upstream === undefined ? '' : upstream.target,
    attempts: upstream === undefined ? 0 : upstream.attempts,
    requestBytes: exchange.requestBytes,
    responseBytes: exchange.responseBytes,
  }
}

/** Where the trace id stands in a `traceparent` (W3C Trace Context §3.2), whose later versions begin in the same way. */
const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/

function toTraceId(traceparent: string | undefined): string {
  return traceparent === undefined ? '' : (TRACEPARENT.exec(traceparent)?.[1] ?? '')
}
