/** Two counts over a window of time that moves on in tenths; adding allocates nothing. */
const SLICES = 10

export class RollingCounts {
  private readonly sliceMs: number
  private readonly firsts = new Float64Array(SLICES)
  private readonly seconds = new Float64Array(SLICES)
  private newestSlice = 0
  /** Sums as of the last `sum`. */
  first = 0
  second = 0

  constructor(windowMs: number) {
    this.sliceMs = windowMs / SLICES
  }

  add(first: number, second: number, nowMs: number): void {
    const at = this.advance(nowMs)
    this.firsts[at] = (this.firsts[at] ?? 0) + first
    this.seconds[at] = (this.seconds[at] ?? 0) + second
  }

  /** Brings `first` and `second` up to date. */
  sum(nowMs: number): void {
    this.advance(nowMs)
    this.first = 0
    this.second = 0
    for (let i = 0; i < SLICES; i++) {
      this.first += this.firsts[i] ?? 0
      this.second += this.seconds[i] ?? 0
    }
  }

  clear(): void {
    this.firsts.fill(0)
    this.seconds.fill(0)
  }

  /** Empties the slices that time has passed over and answers where the present one is. */
  private advance(nowMs: number): number {
    const slice = Math.floor(nowMs / this.sliceMs)
    if (slice > this.newestSlice) {
      const passed = Math.min(SLICES, slice - this.newestSlice)
      for (let i = 1; i <= passed; i++) {
        const at = (this.newestSlice + i) % SLICES
        this.firsts[at] = 0
        this.seconds[at] = 0
      }
      // After a long silence every slice is empty, whatever the index.
      this.newestSlice = slice
    }
    return this.newestSlice % SLICES
  }
}
