/** Asks a gateway again and again, and remembers every answer that is not 200. */
import { setTimeout as sleep } from 'node:timers/promises'

const PAUSE_MS = 10
const MOST_FAILURES = 20

export class SteadyTraffic {
  served = 0
  readonly failures: string[] = []
  private isStopped = false
  private readonly running: Promise<void>

  constructor(port: number) {
    this.running = this.ask(`http://127.0.0.1:${port}/steady`)
  }

  async stop(): Promise<void> {
    this.isStopped = true
    await this.running
  }

  private async ask(url: string): Promise<void> {
    while (!this.isStopped) {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
        async (response) => {
          await response.text()
          return String(response.status)
        },
        (error: unknown) => `nothing: ${String(error)}`,
      )
      if (answer === '200') this.served++
      else if (this.failures.length < MOST_FAILURES) this.failures.push(answer)
      await sleep(PAUSE_MS)
    }
  }
}
