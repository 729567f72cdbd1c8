/**
 * A circuit breaker (M. Nygard, Release It!, 2nd ed., ch. 5) for one target: opens when the share of failures in a
 * rolling window is too high, and after a rest lets exactly one exchange through to see whether the target is back.
 */
import type { CircuitBreakerSpec } from '../../kernel/snapshot.ts'
import { RollingCounts } from './rolling-counts.ts'

export class CircuitBreaker {
  readonly spec: CircuitBreakerSpec
  private readonly outcomes: RollingCounts
  private openUntilMs = 0
  private isOpen = false
  /** Number of the trial under way, 0 when there is none; numbered, so that a late word of an old one is told apart. */
  private trial = 0
  private trials = 0

  constructor(spec: CircuitBreakerSpec) {
    this.spec = spec
    this.outcomes = new RollingCounts(spec.windowMs)
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (!this.isOpen) return 'closed'
    return this.trial === 0 ? 'open' : 'half-open'
  }

  /** Whether an exchange may begin now: the breaker is closed, or its rest is over and the trial is still free. */
  admits(nowMs: number): boolean {
    return !this.isOpen || (nowMs >= this.openUntilMs && this.trial === 0)
  }

  /** An exchange begins. Not 0 when it is the trial: the number has to come back with its outcome. */
  begin(nowMs: number): number {
    if (!this.isOpen || !this.admits(nowMs)) return 0
    this.trial = ++this.trials
    return this.trial
  }

  succeeded(trial: number, nowMs: number): void {
    if (trial !== 0 && trial === this.trial) {
      this.isOpen = false
      this.trial = 0
      this.outcomes.clear()
      return
    }
    // What began before the breaker opened says nothing about the target now.
    if (!this.isOpen) this.outcomes.add(1, 0, nowMs)
  }

  failed(trial: number, nowMs: number): void {
    if (trial !== 0 && trial === this.trial) {
      this.open(nowMs)
      return
    }
    if (this.isOpen) return
    this.outcomes.add(1, 1, nowMs)
    this.outcomes.sum(nowMs)
    const { first: all, second: failures } = this.outcomes
    if (all >= this.spec.minimumRequests && failures * 100 >= this.spec.failurePercent * all) this.open(nowMs)
  }

  /** An exchange ended. A trial without an outcome, because its client left, makes room for the next one. */
  finished(trial: number): void {
    if (trial === this.trial) this.trial = 0
  }

  private open(nowMs: number): void {
    this.isOpen = true
    this.trial = 0
    this.openUntilMs = nowMs + this.spec.openMs
    this.outcomes.clear()
  }
}
