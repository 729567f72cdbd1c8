/**
 * The generic cell rate algorithm (ITU-T I.371) as a virtual scheduler: the state is the moment until which the bucket
 * is paid for, and a take moves it on. One number tells level and time at once, so nothing has to refill.
 *
 * Time runs in units in which both a token and a millisecond are whole numbers, e.g. 3,000 units a token and 5 units a
 * millisecond for 100 a minute: sums stay exact for any limit and window. When such units would be too fine for exact
 * arithmetic over years of uptime, coarser ones are taken.
 */
import type { Clock } from './clock.ts'
import type { Decision, LimitAlgorithm } from './counter-table-limiter.ts'
import { fromNumber, toNumber } from './counter-table-words.ts'
import { maxTokensPerSecond } from './counters.ts'

/** At this pace 2^53 units, up to which numbers are exact, last 30 years. */
const MAX_UNITS_PER_MS = 9000
const MAX_BUCKET_UNITS = 2 ** 50

export class TokenBucket implements LimitAlgorithm {
  readonly capacity: number
  readonly unitsPerToken: number
  readonly unitsPerMs: number
  readonly decision: Decision = { next: 0n, expirySeconds: 0, remaining: 0, resetMs: 0, retryAfterMs: 0 }
  private readonly bucketUnits: number
  private readonly clock: Clock

  constructor(clock: Clock, limit: number, windowMs: number, burst: number) {
    if (limit * 1000 > maxTokensPerSecond * windowMs) throw new RangeError(`More than ${maxTokensPerSecond} a second`)
    this.clock = clock
    this.capacity = burst
    const exact = windowMs / greatestCommonDivisor(limit, windowMs)
    const affordable = Math.floor(Math.min((MAX_UNITS_PER_MS * windowMs) / limit, MAX_BUCKET_UNITS / burst))
    this.unitsPerToken = Math.max(1, Math.min(exact, affordable))
    this.unitsPerMs = (limit * this.unitsPerToken) / windowMs
    this.bucketUnits = burst * this.unitsPerToken
  }

  decide(state: bigint, cost: number): boolean {
    const { decision, unitsPerToken, unitsPerMs, bucketUnits } = this
    const now = Math.floor(this.clock.monotonicMs() * unitsPerMs)
    const paidUntil = Math.max(toNumber(state), now)
    const next = paidUntil + cost * unitsPerToken
    const missing = next - now - bucketUnits
    // A bucket whose burst was lowered by a reload may hold more than the new one can.
    const isGranted = missing <= 0 || cost === 0
    const left = Math.max(0, bucketUnits - ((isGranted ? next : paidUntil) - now))
    decision.remaining = Math.floor(left / unitsPerToken)
    const paceUnits = decision.remaining > 0 ? decision.remaining * unitsPerToken : unitsPerToken - left
    decision.resetMs = Math.ceil(paceUnits / unitsPerMs)
    if (!isGranted) {
      decision.retryAfterMs = cost > this.capacity ? Infinity : Math.ceil(missing / unitsPerMs)
      decision.resetMs = Math.min(decision.resetMs, decision.retryAfterMs)
      return false
    }
    decision.next = fromNumber(next)
    decision.expirySeconds = Math.ceil(next / unitsPerMs / 1000)
    return true
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
