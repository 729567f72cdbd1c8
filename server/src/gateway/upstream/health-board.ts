/**
 * Verdicts of the active health checks, one byte a target, shared by all threads: the main thread checks and writes,
 * the workers read when they choose a target.
 */

/** Healthy is 0, so a target that was never checked is taken for healthy: a start must not wait for checks. */
export const HEALTHY = 0
export const UNHEALTHY = 1

/** Slot of every target that is not checked; nobody writes it. */
export const UNCHECKED_SLOT = 0

/** The side that workers see: bytes indexed by `Endpoint.healthSlot`. */
export type HealthVerdicts = Uint8Array<SharedArrayBuffer>

export function toHealthVerdicts(buffer: SharedArrayBuffer): HealthVerdicts {
  return new Uint8Array(buffer)
}

/** Used where no board is shared, as in a gateway without health checks. */
export const NO_VERDICTS: HealthVerdicts = toHealthVerdicts(new SharedArrayBuffer(1))

/** The main thread's side: gives out slots by name and writes verdicts. */
export class HealthBoard {
  readonly buffer: SharedArrayBuffer
  private readonly verdicts: HealthVerdicts
  private readonly slots = new Map<string, number>()
  private readonly freed: number[] = []
  private next = UNCHECKED_SLOT + 1

  constructor(maxTargets = 65_535) {
    this.buffer = new SharedArrayBuffer(maxTargets + 1)
    this.verdicts = toHealthVerdicts(this.buffer)
  }

  /** The slot of a checked target, the same as long as it is not released; undefined when the board is full. */
  take(name: string): number | undefined {
    const known = this.slots.get(name)
    if (known !== undefined) return known
    // A freed slot is used last: a worker may look at it until it has learnt that its target is gone.
    const slot = this.next < this.verdicts.length ? this.next++ : this.freed.shift()
    if (slot === undefined) return undefined
    this.slots.set(name, slot)
    return slot
  }

  release(name: string): void {
    const slot = this.slots.get(name)
    if (slot === undefined) return
    this.slots.delete(name)
    Atomics.store(this.verdicts, slot, HEALTHY)
    this.freed.push(slot)
  }

  write(slot: number, healthy: boolean): void {
    Atomics.store(this.verdicts, slot, healthy ? HEALTHY : UNHEALTHY)
  }

  isHealthy(slot: number): boolean {
    return Atomics.load(this.verdicts, slot) === HEALTHY
  }
}
