/** Answers that a policy holds back for a while. */
import type { Exchange } from './exchange.ts'
import type { Answer } from './policy.ts'

export class HeldAnswers {
  /** How many are held now. */
  count = 0
  private readonly releases = new WeakMap<Exchange, () => void>()

  /** Resolves with the answer after its time, or when its exchange is released. */
  hold(exchange: Exchange, answer: Answer, delayMs: number): Promise<Answer> {
    this.count++
    return new Promise((resolve) => {
      const release = (): void => {
        if (!this.releases.delete(exchange)) return
        this.count--
        clearTimeout(timer)
        resolve(answer)
      }
      const timer = setTimeout(release, delayMs)
      this.releases.set(exchange, release)
    })
  }

  /** To be called when an exchange is over: a client that leaves ends its own at once, so no delay outlives it. */
  release(exchange: Exchange): void {
    this.releases.get(exchange)?.()
  }
}
