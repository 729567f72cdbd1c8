/**
 * Values found by a SHA-256 digest. A `Map` from hex text makes the engine keep one copy of every digest that anybody ever
 * presents; here ten thousand keys are one piece of memory, and a lookup makes nothing that outlives it. Among so many,
 * what a lookup touches is in no cache: so a short text that belongs to the digest lies beside it.
 */
const DIGEST_BYTES = 32
/** Of a text of latin1, a byte each, behind a byte that says how many there are. */
const LENGTH = DIGEST_BYTES
const TEXT = LENGTH + 1
const RECORD_BYTES = 64
export const MOST_TEXT_BYTES = RECORD_BYTES - TEXT

const SMALLEST = 16

export class DigestTable<Value> {
  private records = Buffer.alloc(SMALLEST * RECORD_BYTES)
  private values: (Value | undefined)[] = new Array<undefined>(SMALLEST).fill(undefined)
  private size = 0

  /**
   * `digest` is latin1 text of 32 bytes; a second value for the same one takes the first one's place. `text` has at most
   * `MOST_TEXT_BYTES` characters, all of latin1.
   */
  set(digest: string, value: Value, text: string): void {
    if (2 * (this.size + 1) > this.values.length) this.grow()
    const slot = this.slotOf(digest)
    if (this.values[slot] === undefined) this.size++
    const start = slot * RECORD_BYTES
    this.records.write(digest, start, 'latin1')
    this.records[start + LENGTH] = text.length
    this.records.write(text, start + TEXT, 'latin1')
    this.values[slot] = value
  }

  /** The slot of a digest, good until the table changes; undefined when there is none. */
  find(digest: string): number | undefined {
    const slot = this.slotOf(digest)
    return this.values[slot] === undefined ? undefined : slot
  }

  valueAt(slot: number): Value | undefined {
    return this.values[slot]
  }

  textAt(slot: number): string {
    const start = slot * RECORD_BYTES + TEXT
    return this.records.toString('latin1', start, start + (this.records[start - 1] ?? 0))
  }

  delete(digest: string): void {
    let free = this.slotOf(digest)
    if (this.values[free] === undefined) return
    this.size--
    const { records } = this
    const mask = this.values.length - 1
    // What follows moves up, unless it would then stand before the slot where the search for it begins.
    for (let slot = (free + 1) & mask; this.values[slot] !== undefined; slot = (slot + 1) & mask) {
      const start = slot * RECORD_BYTES
      const ideal = this.idealSlot(records[start] ?? 0, records[start + 1] ?? 0, records[start + 2] ?? 0)
      if (((slot - ideal) & mask) < ((slot - free) & mask)) continue
      records.copyWithin(free * RECORD_BYTES, start, start + RECORD_BYTES)
      this.values[free] = this.values[slot]
      free = slot
    }
    this.values[free] = undefined
  }

  copy(): DigestTable<Value> {
    const copy = new DigestTable<Value>()
    copy.records = Buffer.from(this.records)
    copy.values = this.values.slice()
    copy.size = this.size
    return copy
  }

  /** Where the digest is, or the free slot where it belongs; half of the slots are free, so there is one. */
  private slotOf(digest: string): number {
    const { records, values } = this
    const mask = values.length - 1
    let slot = this.idealSlot(digest.charCodeAt(0), digest.charCodeAt(1), digest.charCodeAt(2))
    while (values[slot] !== undefined && !this.isAt(records, slot * RECORD_BYTES, digest)) slot = (slot + 1) & mask
    return slot
  }

  /** The bits of a digest are evenly spread: those of its first bytes serve as they are. */
  private idealSlot(first: number, second: number, third: number): number {
    return (first | (second << 8) | (third << 16)) & (this.values.length - 1)
  }

  private isAt(records: Uint8Array, at: number, digest: string): boolean {
    for (let i = 0; i < DIGEST_BYTES; i++) if (records[at + i] !== digest.charCodeAt(i)) return false
    return true
  }

  private grow(): void {
    const { records, values } = this
    const slots = 2 * values.length
    this.records = Buffer.alloc(slots * RECORD_BYTES)
    this.values = new Array<undefined>(slots).fill(undefined)
    for (const [slot, value] of values.entries()) {
      if (value === undefined) continue
      const start = slot * RECORD_BYTES
      const next = this.slotOf(records.toString('latin1', start, start + DIGEST_BYTES))
      records.copy(this.records, next * RECORD_BYTES, start, start + RECORD_BYTES)
      this.values[next] = value
    }
  }
}
