/** A small seeded generator (mulberry32): a failure is found again from its seed. */
export class Random {
  private state: number
  /** Scales how often `mostly` leaves the usual: most finds need only one thing to be odd. */
  wildness = 1

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** At least 0, less than 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.below(values.length)]
    if (value === undefined) throw new RangeError('There is nothing to pick from.')
    return value
  }

  /** Mostly the first, now and then one of the others. */
  mostly<Value>(usual: Value, others: readonly Value[], share = 0.2): Value {
    return this.chance(share * this.wildness) ? this.pick(others) : usual
  }
}
