/** A count for each window of the calendar: the state is the window's number (31 bits) and the count (32 bits). */
import type { Clock } from './clock.ts'
import type { Decision, LimitAlgorithm } from './counter-table-limiter.ts'
import { highOf, lowOf, toState } from './counter-table-words.ts'

const WINDOW_NUMBERS = 2 ** 31
const NUMBER_MASK = WINDOW_NUMBERS - 1

export class FixedWindow implements LimitAlgorithm {
  readonly capacity: number
  readonly decision: Decision = { next: 0n, expirySeconds: 0, remaining: 0, resetMs: 0, retryAfterMs: 0 }
  private readonly windowMs: number
  private readonly clock: Clock

  constructor(clock: Clock, limit: number, windowMs: number) {
    this.clock = clock
    this.capacity = limit
    this.windowMs = windowMs
  }

  decide(state: bigint, cost: number): boolean {
    const { decision, windowMs, capacity } = this
    const nowMs = this.clock.now()
    const number = Math.floor(nowMs / windowMs) % WINDOW_NUMBERS
    // A window from later than now: the wall clock was set back. What was counted then counts in this window.
    const isAhead = ((number - highOf(state)) & NUMBER_MASK) > NUMBER_MASK >> 1
    const isCounted = state !== 0n && (isAhead || highOf(state) === number)
    const count = isCounted ? lowOf(state) : 0
    const isGranted = count + cost <= capacity || cost === 0
    decision.remaining = Math.max(0, capacity - count - (isGranted ? cost : 0))
    decision.resetMs = windowMs - (nowMs % windowMs)
    if (!isGranted) {
      decision.retryAfterMs = cost > capacity ? Infinity : decision.resetMs
      return false
    }
    decision.next = toState(count + cost, number)
    // The take that began the window said how long the slot is needed; reading the clock again would cost 50 ns.
    decision.expirySeconds = isCounted && !isAhead ? 0 : Math.ceil((this.clock.monotonicMs() + decision.resetMs) / 1000)
    return true
  }
}
