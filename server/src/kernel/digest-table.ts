/**
 * Values found by a SHA-256 digest. A `Map` from hex text makes the engine keep one copy of every digest that anybody ever
 * presents; here ten thousand keys are one piece of memory, and a lookup makes nothing that outlives it.
 */
const DIGEST_BYTES = 32
const SMALLEST = 16

export class DigestTable<Value> {
  private digests = new Uint8Array(SMALLEST * DIGEST_BYTES)
  private values: (Value | undefined)[] = new Array<undefined>(SMALLEST).fill(undefined)
  private size = 0

  /** `digest` is latin1 text of 32 bytes; a second value for the same one takes the first one's place. */
  set(digest: string, value: Value): void {
    if (2 * (this.size + 1) > this.values.length) this.grow()
    const slot = this.slotOf(digest)
    if (this.values[slot] === undefined) this.size++
    for (let i = 0; i < DIGEST_BYTES; i++) this.digests[slot * DIGEST_BYTES + i] = digest.charCodeAt(i)
    this.values[slot] = value
  }

  get(digest: string): Value | undefined {
    return this.values[this.slotOf(digest)]
  }

  delete(digest: string): void {
    let free = this.slotOf(digest)
    if (this.values[free] === undefined) return
    this.size--
    const mask = this.values.length - 1
    // What follows moves up, unless it would then stand before the slot where the search for it begins.
    for (let slot = (free + 1) & mask; this.values[slot] !== undefined; slot = (slot + 1) & mask) {
      const start = slot * DIGEST_BYTES
      const ideal = this.idealSlot(this.digests[start] ?? 0, this.digests[start + 1] ?? 0, this.digests[start + 2] ?? 0)
      if (((slot - ideal) & mask) < ((slot - free) & mask)) continue
      this.digests.copyWithin(free * DIGEST_BYTES, start, start + DIGEST_BYTES)
      this.values[free] = this.values[slot]
      free = slot
    }
    this.values[free] = undefined
  }

  copy(): DigestTable<Value> {
    const copy = new DigestTable<Value>()
    copy.digests = this.digests.slice()
    copy.values = this.values.slice()
    copy.size = this.size
    return copy
  }

  /** Where the digest is, or the free slot where it belongs; half of the slots are free, so there is one. */
  private slotOf(digest: string): number {
    const { digests, values } = this
    const mask = values.length - 1
    let slot = this.idealSlot(digest.charCodeAt(0), digest.charCodeAt(1), digest.charCodeAt(2))
    while (values[slot] !== undefined && !this.isAt(digests, slot * DIGEST_BYTES, digest)) slot = (slot + 1) & mask
    return slot
  }

  /** The bits of a digest are evenly spread: those of its first bytes serve as they are. */
  private idealSlot(first: number, second: number, third: number): number {
    return (first | (second << 8) | (third << 16)) & (this.values.length - 1)
  }

  private isAt(digests: Uint8Array, at: number, digest: string): boolean {
    for (let i = 0; i < DIGEST_BYTES; i++) if (digests[at + i] !== digest.charCodeAt(i)) return false
    return true
  }

  private grow(): void {
    const { digests, values } = this
    const slots = 2 * values.length
    this.digests = new Uint8Array(slots * DIGEST_BYTES)
    this.values = new Array<undefined>(slots).fill(undefined)
    this.size = 0
    for (const [slot, value] of values.entries()) {
      if (value === undefined) continue
      this.set(String.fromCharCode(...digests.subarray(slot * DIGEST_BYTES, (slot + 1) * DIGEST_BYTES)), value)
    }
  }
}
