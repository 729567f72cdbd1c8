/** One timer for everything that has deadlines: a timer for each exchange would cost more than the exchange's routing. */
import { performance } from 'node:perf_hooks'

const TICK_MS = 250

export interface Tickable {
  tick(nowMs: number): void
}

export class Ticker {
  private readonly members = new Set<Tickable>()
  private timer: NodeJS.Timeout | undefined

  add(member: Tickable): void {
    this.members.add(member)
    this.timer ??= setInterval(() => this.tick(), TICK_MS).unref()
  }

  delete(member: Tickable): void {
    this.members.delete(member)
    if (this.members.size > 0) return
    clearInterval(this.timer)
    this.timer = undefined
  }

  private tick(): void {
    const nowMs = performance.now()
    for (const member of this.members) member.tick(nowMs)
  }
}
