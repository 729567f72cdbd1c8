/**
 * Streams that were broken off by a client or because of it. A client may do so now and then; one that does it all the
 * time makes work and wants no answers (CVE-2023-44487, and by errors of its own CVE-2025-8671).
 */
import { Budget } from './budget.ts'

const BURST = 200
const PER_SECOND = 33
/** Streams that we reset a moment ago: what is still under way on them is dropped (RFC 9113 §5.1). */
const REMEMBERED = 512

export class Resets {
  private readonly budget = new Budget(BURST, PER_SECOND)
  private ids: Set<number> | undefined

  /** Counts one that the client caused; false when they are too many. */
  count(): boolean {
    return this.budget.spend()
  }

  tick(nowMs: number): void {
    this.budget.tick(nowMs)
  }

  remember(streamId: number): void {
    this.ids ??= new Set()
    this.ids.add(streamId)
    if (this.ids.size <= REMEMBERED) return
    const [oldest] = this.ids
    if (oldest !== undefined) this.ids.delete(oldest)
  }

  has(streamId: number): boolean {
    return this.ids?.has(streamId) === true
  }
}
