/** Adds up by day what the workers counted of the callers of deprecated versions, and tells control of it. */
import { randomUUID } from 'node:crypto'
import { OTHER_CALLERS, type CallerCount } from '../../kernel/caller-counts.ts'
import type { Clock } from '../../kernel/clock.ts'
import { MOST_CALLERS_TOLD, type GatewayReport } from '../../kernel/control-protocol.ts'
import type { ReportPart } from './report-part.ts'

const DAY_MS = 86_400_000

/** Sums that may wait for control while it is away. */
const MOST_WAITING = 20_000

interface Sum {
  readonly count: CallerCount
  readonly dayStartMs: number
  requests: number
  lastSeenMs: number
}

export class CallerReport implements ReportPart {
  private readonly clock: Clock
  private readonly sums = new Map<string, Sum>()
  /** What was told and is not known to have been heard. */
  private told: GatewayReport['callers']

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(counts: readonly CallerCount[]): void {
    for (const count of counts) this.addOne(count)
  }

  take(): Partial<GatewayReport> {
    this.told ??= this.takeSums()
    return this.told === undefined ? {} : { callers: this.told }
  }

  taken(): void {
    this.told = undefined
  }

  /** The very same is told again: control knows it by its batch. */
  lost(): void {}

  private addOne(count: CallerCount): void {
    const { api, apiVersion, consumer, requests } = count
    const nowMs = this.clock.now()
    const dayStartMs = Math.floor(nowMs / DAY_MS) * DAY_MS
    const key = `${dayStartMs}\n${api}\n${apiVersion}\n${consumer}`
    const known = this.sums.get(key)
    if (known !== undefined) {
      known.requests += requests
      known.lastSeenMs = nowMs
    } else if (this.sums.size < MOST_WAITING || consumer === OTHER_CALLERS) {
      this.sums.set(key, { count, dayStartMs, requests, lastSeenMs: nowMs })
    } else this.addOne({ ...count, consumer: OTHER_CALLERS })
  }

  private takeSums(): GatewayReport['callers'] {
    const some = [...this.sums].slice(0, MOST_CALLERS_TOLD)
    if (some.length === 0) return undefined
    for (const [key] of some) this.sums.delete(key)
    const counts = some.map(([, { count, dayStartMs, requests, lastSeenMs }]) => {
      const { api, apiVersion, consumer } = count
      return { api, version: apiVersion, consumer, dayStartMs, requests, lastSeenMs }
    })
    return { batch: randomUUID(), counts }
  }
}
