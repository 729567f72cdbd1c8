/** Adds up what the workers counted of deployments that stand side by side, and tells control of it every second. */
import type { Clock } from '../../kernel/clock.ts'
import type { DeploymentCounts, GatewayReport } from '../../kernel/control-protocol.ts'
import { LatencySketch } from '../../kernel/latency-sketch.ts'
import type { ReportPart } from './report-part.ts'

interface Sum {
  requests: number
  errors: number
  readonly latency: LatencySketch
}

const MOST_DEPLOYMENTS = 100

export class DeploymentReport implements ReportPart {
  private readonly clock: Clock
  private readonly sums = new Map<string, Sum>()
  /** What was told and is not known to have been heard. */
  private told: GatewayReport['deployments']
  private lastSlot = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(counts: readonly DeploymentCounts[]): void {
    for (const { deployment, requests, errors, latency } of counts) {
      const sum = this.sums.get(deployment) ?? { requests: 0, errors: 0, latency: new LatencySketch() }
      sum.requests += requests
      sum.errors += errors
      sum.latency.merge(latency)
      this.sums.set(deployment, sum)
    }
  }

  take(): Partial<GatewayReport> {
    this.told ??= this.takeSums()
    return this.told === undefined ? {} : { deployments: this.told }
  }

  taken(): void {
    this.told = undefined
  }

  /** The very same is told again: control knows it by its slot. */
  lost(): void {}

  private takeSums(): GatewayReport['deployments'] {
    const some = [...this.sums].slice(0, MOST_DEPLOYMENTS)
    if (some.length === 0) return undefined
    for (const [deployment] of some) this.sums.delete(deployment)
    this.lastSlot = Math.max(this.lastSlot + 1, this.clock.now())
    const counts = some.map(([deployment, { requests, errors, latency }]) => {
      return { deployment, requests, errors, latency: latency.toPairs() }
    })
    return { slot: this.lastSlot, counts }
  }
}
