/**
 * Active health checks of one upstream, run once per process on the main thread: asks every endpoint in turn and
 * writes what it finds on the board that all worker threads read.
 */
import type { Log } from '../../kernel/log.ts'
import type { HealthCheckSpec } from '../../kernel/snapshot.ts'
import type { Endpoint } from './endpoint.ts'
import type { HealthBoard } from './health-board.ts'
import { probe, type ProbeSettings } from './health-probe.ts'

/** The wait between two checks varies by this share, so that many gateways do not ask in step. */
const JITTER = 0.1

export interface HealthCheckOptions {
  readonly upstream: string
  readonly settings: ProbeSettings
  readonly board: HealthBoard
  readonly log: Log
  readonly random: () => number
  /** Ids of endpoints whose slots the checks before a reload have left to these. */
  readonly inherited: readonly string[]
}

/** Whether a target is to be called healthy after one more check. */
export class HealthVerdict {
  healthy: boolean
  private readonly check: HealthCheckSpec
  private againstInARow = 0

  constructor(check: HealthCheckSpec, healthy: boolean) {
    this.check = check
    this.healthy = healthy
  }

  /** Takes the outcome of a check; true when the verdict changed by it. */
  count(well: boolean): boolean {
    this.againstInARow = well === this.healthy ? 0 : this.againstInARow + 1
    if (this.againstInARow < (well ? this.check.healthyAfter : this.check.unhealthyAfter)) return false
    if (well === this.healthy) return false
    this.healthy = well
    this.againstInARow = 0
    return true
  }
}

export class HealthCheck {
  private readonly options: HealthCheckOptions
  private readonly timers = new Map<string, NodeJS.Timeout>()
  private inherited: readonly string[]

  constructor(options: HealthCheckOptions) {
    this.options = options
    this.inherited = options.inherited
  }

  /**
   * Checks these endpoints from now on, no others. Answers them with their slots of the board; without a slot, when the
   * board is full, an endpoint stays unchecked.
   */
  watch(endpoints: readonly Endpoint[]): Endpoint[] {
    const { board, log, upstream } = this.options
    const wanted = new Set(endpoints.map(({ id }) => id))
    for (const id of [...this.timers.keys(), ...this.inherited]) if (!wanted.has(id)) this.forget(id)
    this.inherited = []
    return endpoints.map((endpoint) => {
      const healthSlot = board.take(toSlotName(upstream, endpoint.id))
      if (healthSlot === undefined) {
        log.error({ upstream, target: endpoint.id }, 'the health board is full: this target is not checked')
        return endpoint
      }
      const checked = { ...endpoint, healthSlot }
      if (!this.timers.has(endpoint.id)) this.begin(checked)
      return checked
    })
  }

  /** Ends the checks and lets the slots go. */
  close(): void {
    for (const id of [...this.timers.keys(), ...this.inherited]) this.forget(id)
  }

  /** Ends the checks but leaves their verdicts; answers the ids of the endpoints, for the checks that follow. */
  handOver(): string[] {
    const ids = [...this.timers.keys(), ...this.inherited]
    for (const timer of this.timers.values()) clearTimeout(timer)
    this.timers.clear()
    return ids
  }

  private begin(endpoint: Endpoint): void {
    const { board, settings } = this.options
    const verdict = new HealthVerdict(settings.check, board.isHealthy(endpoint.healthSlot))
    // The first check comes soon, but not those of all targets in the same instant.
    const firstMs = this.options.random() * Math.min(1_000, settings.check.intervalMs)
    this.schedule(endpoint, verdict, firstMs)
  }

  private schedule(endpoint: Endpoint, verdict: HealthVerdict, waitMs: number): void {
    const timer = setTimeout(() => void this.checkOnce(endpoint, verdict), waitMs)
    timer.unref()
    this.timers.set(endpoint.id, timer)
  }

  private async checkOnce(endpoint: Endpoint, verdict: HealthVerdict): Promise<void> {
    const { upstream, settings, board, log, random } = this.options
    const timer = this.timers.get(endpoint.id)
    const startedMs = performance.now()
    const fault = await probe(endpoint, settings)
    // Forgotten or begun anew while the answer was under way.
    if (this.timers.get(endpoint.id) !== timer) return
    if (verdict.count(fault === undefined)) {
      board.write(endpoint.healthSlot, verdict.healthy)
      if (verdict.healthy) log.info({ upstream, target: endpoint.id }, 'target is healthy again')
      else log.warn({ upstream, target: endpoint.id, fault }, 'target is unhealthy')
    }
    const waitMs = settings.check.intervalMs * (1 + JITTER * (2 * random() - 1)) - (performance.now() - startedMs)
    this.schedule(endpoint, verdict, Math.max(0, waitMs))
  }

  private forget(id: string): void {
    clearTimeout(this.timers.get(id))
    this.timers.delete(id)
    this.options.board.release(toSlotName(this.options.upstream, id))
  }
}

function toSlotName(upstream: string, endpointId: string): string {
  return `${upstream} ${endpointId}`
}
