/**
 * Verified tokens by their SHA-256, so that the signature of a token that comes again is not checked again.
 *
 * Bounded by two generations: when the young one is full it becomes the old one and the old one is dropped; what is asked
 * for moves to the young one. That is nearly the least recently used, without any list to keep.
 */
export class TokenCache<Value> {
  private young = new Map<string, Entry<Value>>()
  private old = new Map<string, Entry<Value>>()
  private readonly generationSize: number

  constructor(capacity: number) {
    this.generationSize = Math.floor(capacity / 2)
  }

  /** The value, unless it is too old or was verified with another version of the keys. */
  get(key: string, nowMs: number, keysVersion: number): Value | undefined {
    const entry = this.young.get(key) ?? this.old.get(key)
    if (entry === undefined || entry.untilMs <= nowMs || entry.keysVersion !== keysVersion) return undefined
    if (!this.young.has(key)) this.put(key, entry)
    return entry.value
  }

  set(key: string, value: Value, untilMs: number, keysVersion: number): void {
    this.put(key, { value, untilMs, keysVersion })
  }

  private put(key: string, entry: Entry<Value>): void {
    if (this.generationSize === 0) return
    if (this.young.size >= this.generationSize) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(key, entry)
  }
}

interface Entry<Value> {
  readonly value: Value
  readonly untilMs: number
  readonly keysVersion: number
}
