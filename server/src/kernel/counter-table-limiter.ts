/**
 * One limiter over the shared table: finds the key's slot, lets the algorithm decide on its state, and swaps the state
 * in. When another thread was faster, it starts again with what that one left.
 */
import type { Limiter } from './counters.ts'
import type { Fingerprint } from './counter-table-fingerprint.ts'
import type { SlotTable } from './counter-table-slots.ts'

/** What `decide` leaves behind beside its answer. */
export interface Decision {
  /** The state after the take, greater than 0. */
  next: bigint
  /** Monotonic second until which that state matters. */
  expirySeconds: number
  remaining: number
  resetMs: number
  retryAfterMs: number
}

/** Arithmetic of one kind of limit on one 64-bit word; 0 is the word of a key that has no slot yet. */
export interface LimitAlgorithm {
  /** The most that can be had at once. */
  readonly capacity: number
  readonly decision: Decision
  /**
   * Whether `cost` can be had. Reads the clock itself, after the state was read: a state from later than now then proves
   * that the clock went back. `expirySeconds` is the slot's.
   */
  decide(state: bigint, cost: number, expirySeconds: number): boolean
}

const UNUSED = 0n

export class SharedLimiter implements Limiter {
  tableFull = false
  private readonly table: SlotTable
  private readonly fingerprint: Fingerprint
  private readonly algorithm: LimitAlgorithm
  private readonly decision: Decision
  private readonly nowSeconds: () => number

  constructor(table: SlotTable, fingerprint: Fingerprint, algorithm: LimitAlgorithm, nowSeconds: () => number) {
    this.table = table
    this.fingerprint = fingerprint
    this.algorithm = algorithm
    this.decision = algorithm.decision
    this.nowSeconds = nowSeconds
  }

  get remaining(): number {
    return this.decision.remaining
  }

  get resetMs(): number {
    return this.decision.resetMs
  }

  get retryAfterMs(): number {
    return this.decision.retryAfterMs
  }

  take(key: string, cost: number): boolean {
    const { table, fingerprint, algorithm, decision } = this
    fingerprint.of(key)
    const { low, high } = fingerprint
    this.tableFull = false
    for (;;) {
      const slot = table.find(low, high)
      if (slot === -1) {
        const taken = this.takeFirst(low, high, cost)
        if (taken === undefined) continue
        return taken
      }
      const isGranted = algorithm.decide(table.found, cost, table.expiresAt(slot))
      if (!isGranted || cost === 0) return isGranted
      table.keepUntil(slot, decision.expirySeconds)
      if (table.swap(slot, decision.next)) return true
    }
  }

  /** The take of a key without a slot, which it opens; undefined when another thread was faster. */
  private takeFirst(low: number, high: number, cost: number): boolean | undefined {
    const { table, algorithm, decision } = this
    const isGranted = algorithm.decide(UNUSED, cost, 0)
    if (!isGranted || cost === 0) return isGranted
    const slot = table.claim(low, high, this.fingerprint.id, this.nowSeconds())
    if (slot === -1) return undefined
    if (slot === -2) {
      this.tableFull = true
      decision.retryAfterMs = Infinity
      return false
    }
    table.keepUntil(slot, decision.expirySeconds)
    return table.open(slot, decision.next) ? true : undefined
  }
}
