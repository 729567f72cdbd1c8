/** When a failed attempt may be repeated, and how long to wait before. */
import type { RetrySpec } from '../../kernel/snapshot.ts'
import type { UpstreamError } from './client.ts'

/** RFC 9110 §9.2.2. What it does not define, such as PATCH or a method of one's own, is not idempotent. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method)
}

/**
 * Whether a request that failed before a response's head may be sent again. `replayable`: its body can be sent from
 * its start, because there is none, it is all here, or none of it was taken.
 */
export function isRetrySafe(method: string, replayable: boolean, error: UpstreamError): boolean {
  if (!replayable || error.kind === 'request-body') return false
  return error.sent !== 'some' || isIdempotent(method)
}

/** Whether a response with this status is to be thrown away and the request sent again. */
export function isRetryStatus(method: string, replayable: boolean, status: number, spec: RetrySpec): boolean {
  return replayable && spec.statuses.includes(status) && isIdempotent(method)
}

/** No wait becomes longer than this many times the first. */
const MAX_BACKOFF_FACTOR = 32

/**
 * Milliseconds before retry number `retry`, counted from 1: doubling, each drawn from the whole range below it ("full
 * jitter", M. Brooker, AWS Architecture Blog 2015), so that clients that failed together do not come back together.
 */
export function toBackoffMs(spec: RetrySpec, retry: number, random: () => number = Math.random): number {
  return random() * spec.backoffMs * Math.min(MAX_BACKOFF_FACTOR, 2 ** (retry - 1))
}
