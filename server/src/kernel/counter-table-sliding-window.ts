/**
 * The sliding window of two counts: the previous window counts for the share of it that a window ending now still
 * covers. It takes the requests of the previous window as evenly spread, and is exact when they were.
 *
 * The state holds the window's number (15 bits) and the counts of the previous and the current window (24 bits each).
 * The number comes round again after 32,768 windows, but the slot has expired long before, and is then read as empty.
 */
import type { Clock } from './clock.ts'
import type { Decision, LimitAlgorithm } from './counter-table-limiter.ts'
import { highOf, lowOf, toState } from './counter-table-words.ts'
import { maxSlidingLimit } from './counters.ts'

const NUMBER_MASK = 0x7fff
const COUNT_MASK = 0xffffff

export class SlidingWindow implements LimitAlgorithm {
  readonly capacity: number
  readonly decision: Decision = { next: 0n, expirySeconds: 0, remaining: 0, resetMs: 0, retryAfterMs: 0 }
  private readonly windowMs: number
  private readonly clock: Clock

  constructor(clock: Clock, limit: number, windowMs: number) {
    if (limit > maxSlidingLimit) throw new RangeError(`More than ${maxSlidingLimit} in a sliding window`)
    this.clock = clock
    this.capacity = limit
    this.windowMs = windowMs
  }

  decide(state: bigint, cost: number, expirySeconds: number): boolean {
    const { decision, windowMs, capacity } = this
    const nowMs = this.clock.monotonicMs()
    const index = Math.floor(nowMs / windowMs)
    let intoMs = nowMs - index * windowMs
    let number = index & NUMBER_MASK
    let previous = 0
    let current = 0
    if (state !== 0n && expirySeconds * 1000 > nowMs) {
      const age = (number - (highOf(state) >> 16)) & NUMBER_MASK
      if (age === 1) previous = lowOf(state) & COUNT_MASK
      else if (age === 0 || age === NUMBER_MASK) {
        previous = ((highOf(state) & 0xffff) << 8) | (lowOf(state) >>> 24)
        current = lowOf(state) & COUNT_MASK
      }
      if (age === NUMBER_MASK) {
        // Another thread's clock was ahead by the microseconds that lie between: this take is in its window, too.
        number = (number + 1) & NUMBER_MASK
        intoMs = 0
      }
    }
    const isGranted = this.weigh(previous, current, intoMs) + cost <= capacity || cost === 0
    if (isGranted) current += cost
    const left = Math.max(0, capacity - this.weigh(previous, current, intoMs))
    decision.remaining = Math.floor(left)
    decision.resetMs = Math.ceil((Math.max(1, decision.remaining) * windowMs) / capacity)
    if (!isGranted) {
      decision.retryAfterMs = cost > capacity ? Infinity : this.waitMs(previous, current, intoMs, capacity - cost)
      decision.resetMs = Math.min(decision.resetMs, decision.retryAfterMs)
      return false
    }
    decision.next = toState((previous << 24) | current, (number << 16) | (previous >>> 8))
    decision.expirySeconds = Math.ceil(((index + 2) * windowMs) / 1000) + 1
    return true
  }

  private weigh(previous: number, current: number, intoMs: number): number {
    return (previous * (this.windowMs - intoMs)) / this.windowMs + current
  }

  /** Milliseconds until no more than `target` is counted. */
  private waitMs(previous: number, current: number, intoMs: number, target: number): number {
    const { windowMs } = this
    if (current <= target) return Math.ceil(windowMs * (1 - (target - current) / previous) - intoMs)
    // Only the next window helps, in which the current one is the previous.
    return Math.ceil(windowMs - intoMs + windowMs * (1 - target / current))
  }
}
