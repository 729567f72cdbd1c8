/**
 * What one exchange left behind: exactly one per request, also for refused and aborted ones. Logs, metrics, quotas,
 * bills and detectors all read this one object.
 */
import type { Blame } from './problem.ts'

export interface ExchangeRecord {
  /** Wall-clock milliseconds since 1970 at the first byte. */
  readonly timeMs: number
  readonly id: string
  /** 32 hex digits of the request's `traceparent` (W3C Trace Context), empty when it had none. */
  readonly traceId: string
  readonly ip: string
  readonly version: '1.0' | '1.1' | '2'
  readonly method: string
  readonly host: string
  /** Path without the query: queries carry secrets too often. */
  readonly path: string
  /** Route id, empty when none matched. */
  readonly route: string
  readonly api: string
  /** The consumer's name, else the id of the principal, empty when nobody is known. */
  readonly consumer: string
  /** Name of the credential, never itself. */
  readonly credential: string
  /** Status that the client was sent; 499 when it left before. */
  readonly status: number
  /** Stable problem code when the answer was ours, else empty. */
  readonly problem: string
  readonly blame: Blame | ''
  readonly durationMs: number
  /** Time until the upstream's head, 0 when none was asked. */
  readonly upstreamMs: number
  readonly upstream: string
  readonly target: string
  readonly attempts: number
  readonly requestBytes: number
  readonly responseBytes: number
}
