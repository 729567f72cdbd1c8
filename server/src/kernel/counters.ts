/**
 * Counters that all threads of a gateway share, so that a limit holds exactly whatever thread serves a request.
 * A limiter is made once at setup; `take` is synchronous and allocates nothing.
 */
export interface Counters {
  /** Generic cell rate algorithm (ITU-T I.371): `limit` per window on average, bursts up to `burst`. */
  tokenBucket(policyId: string, limit: number, windowMs: number, burst: number): Limiter
  /** `limit` in each window that starts at a multiple of `windowMs` since 1970. */
  fixedWindow(policyId: string, limit: number, windowMs: number): Limiter
  /** Weighted sum of the current and the previous fixed window. */
  slidingWindow(policyId: string, limit: number, windowMs: number): Limiter
  /** How many may be in flight at once. */
  gauge(policyId: string, limit: number): Gauge
}

export interface Limiter {
  /** Asks for `cost` at wall-clock `nowMs` on behalf of `key`; false leaves the counter unchanged. */
  take(key: string, cost: number, nowMs: number): boolean
  /** After `take`: how much is left, in whole units. */
  readonly remaining: number
  /** After `take`: milliseconds until the whole limit is there again. */
  readonly resetMs: number
  /** After a refused `take`: milliseconds until the same cost would be granted. */
  readonly retryAfterMs: number
  /** After a refused `take`: true when the table was full, so that the refusal is ours and not the caller's fault. */
  readonly tableFull: boolean
}

export interface Gauge {
  enter(key: string): boolean
  leave(key: string): void
}
