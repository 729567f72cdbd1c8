/**
 * Counters that all threads of a gateway share, so that a limit holds exactly whatever thread serves a request.
 * A limiter is made once at setup; `take` is synchronous, and nothing that it makes outlives it.
 *
 * A counter is found by `policyId` and key, so it outlives a reload. One whose parameters were changed starts anew, with
 * two exceptions: the burst of a token bucket and the limit of a window may change, and the count goes on.
 */
export interface Counters {
  /** Generic cell rate algorithm (ITU-T I.371): `limit` per window on average, bursts up to `burst`. */
  tokenBucket(policyId: string, limit: number, windowMs: number, burst: number): Limiter
  /** `limit` in each window that starts at a multiple of `windowMs` since 1970. */
  fixedWindow(policyId: string, limit: number, windowMs: number): Limiter
  /** Weighted sum of the current and the previous window; `limit` is at most `maxSlidingLimit`. */
  slidingWindow(policyId: string, limit: number, windowMs: number): Limiter
  /** How many may be in flight at once. */
  gauge(policyId: string, limit: number): Gauge
}

/** Highest limit, burst and cost of any limiter. */
export const maxLimit = 1_000_000_000
/** Highest limit of a sliding window, which keeps two counts in one word of memory. */
export const maxSlidingLimit = 16_777_215
/** Highest average rate of a token bucket; above it, its arithmetic would lose exactness within years of uptime. */
export const maxTokensPerSecond = 10_000_000

export interface Limiter {
  /** Asks for `cost` (a whole number from 0) on behalf of `key`, now; false leaves the counter unchanged. */
  take(key: string, cost: number): boolean
  /** After `take`: how much is left, in whole units. */
  readonly remaining: number
  /**
   * After `take`: milliseconds during which the caller should use no more than `remaining`. A fixed window's end; else the
   * time in which the average rate brings that much, so that a caller who follows it never meets the limit.
   */
  readonly resetMs: number
  /** After a refused `take`: milliseconds until the same cost would be granted; Infinity when it never would. */
  readonly retryAfterMs: number
  /** After a refused `take`: true when the table had no more room for this policy, so that the refusal is ours and not the caller's fault. */
  readonly tableFull: boolean
}

export interface Gauge {
  /** False when the limit is reached, or when the table has no more room for this policy. Each `true` wants one `leave`. */
  enter(key: string): boolean
  leave(key: string): void
  /** After a refused `enter`: true when the table had no more room for this policy. */
  readonly tableFull: boolean
}
