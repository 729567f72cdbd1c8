/** So much at once, so much more in every second; who asks for more has no honest use for it. */
export class Budget {
  private readonly burst: number
  private readonly perSecond: number
  private left: number
  private filledMs = 0

  constructor(burst: number, perSecond: number) {
    this.burst = burst
    this.perSecond = perSecond
    this.left = burst
  }

  /** False when nothing is left. */
  spend(): boolean {
    return --this.left >= 0
  }

  /** More for what we sent: a peer answers that with frames of its own. */
  earn(count: number): void {
    this.left = Math.min(this.burst, this.left + count)
  }

  tick(nowMs: number): void {
    if (this.filledMs > 0 && this.left < this.burst) {
      this.left = Math.min(this.burst, this.left + ((nowMs - this.filledMs) / 1000) * this.perSecond)
    }
    this.filledMs = nowMs
  }
}
