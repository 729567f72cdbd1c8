/**
 * Asks a gateway again and again, and remembers every answer that is not 200. Where this process itself stood still, a time
 * limit that is over says nothing about the gateway, and the request is made again.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

const PAUSE_MS = 10
const LIMIT_MS = 5_000
/** Of the limit; a gateway that answers has had the rest of it. */
const OWN_STALL_MS = 1_000
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
    const delay = monitorEventLoopDelay()
    delay.enable()
    while (!this.isStopped) {
      delay.reset()
      const answer = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) }).then(
        async (response) => {
          await response.text()
          return String(response.status)
        },
        (error: unknown) => `nothing: ${inspect(error)}`,
      )
      const isOwnStall = answer.includes('TimeoutError') && delay.max / 1e6 > OWN_STALL_MS
      if (answer === '200') this.served++
      else if (!isOwnStall && this.failures.length < MOST_FAILURES) this.failures.push(answer)
      await sleep(PAUSE_MS)
    }
    delay.disable()
  }
}
