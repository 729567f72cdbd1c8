/**
 * How many retries an upstream may have: a share of its recent requests and a few per second besides, so that a
 * failing upstream is not asked twice for everything (Finagle's and linkerd's retry budget). One per thread.
 */
import type { RetrySpec } from '../../kernel/snapshot.ts'
import { RollingCounts } from './rolling-counts.ts'

/** Requests of this long earn retries; also how long unused ones keep. */
const WINDOW_MS = 10_000

export class RetryBudget {
  private readonly counts = new RollingCounts(WINDOW_MS)
  private readonly share: number
  private readonly reserve: number

  constructor(spec: RetrySpec) {
    this.share = spec.budgetPercent / 100
    this.reserve = (spec.budgetMinPerSecond * WINDOW_MS) / 1_000
  }

  /** A request came, to be counted once however often it is tried. */
  countRequest(nowMs: number): void {
    this.counts.add(1, 0, nowMs)
  }

  /** Asks for one retry; false when the budget is used up. */
  take(nowMs: number): boolean {
    this.counts.sum(nowMs)
    const { first: requests, second: retries } = this.counts
    if (retries + 1 > this.reserve + requests * this.share) return false
    this.counts.add(0, 1, nowMs)
    return true
  }
}
