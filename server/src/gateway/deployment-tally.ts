/** What a thread counts of a deployment while it is judged or shared out; the main thread collects it. */
import type { DeploymentCounts } from '../kernel/control-protocol.ts'
import type { Exchange } from '../kernel/exchange.ts'
import { LatencySketch } from '../kernel/latency-sketch.ts'

export class DeploymentTally {
  requests = 0
  errors = 0
  latency = new LatencySketch()

  /** An answer from 500 on is the revision's fault; a client that left before it only shows in the latency. */
  count({ request, startedMs }: Exchange, status: number, endedMs: number): void {
    this.requests++
    if (status >= 500) this.errors++
    // A tunnel lasts as long as its two ends like.
    if (request.upgrade === undefined) this.latency.add(endedMs - startedMs)
  }
}

export class DeploymentTallies {
  private readonly tallies = new Map<string, DeploymentTally>()

  /** The tally that routes of the deployment count in, over reloads. */
  of(deployment: string): DeploymentTally {
    const known = this.tallies.get(deployment)
    if (known !== undefined) return known
    const tally = new DeploymentTally()
    this.tallies.set(deployment, tally)
    return tally
  }

  /** What was counted since the last call. Tallies that nobody counts in any more are forgotten by `retain`. */
  take(): DeploymentCounts[] {
    const taken: DeploymentCounts[] = []
    for (const [deployment, tally] of this.tallies) {
      const { requests, errors, latency } = tally
      if (requests === 0) continue
      taken.push({ deployment, requests, errors, latency: latency.toPairs() })
      tally.requests = 0
      tally.errors = 0
      tally.latency = new LatencySketch()
    }
    return taken
  }

  /**
   * Forgets deployments that a snapshot no longer has and that have nothing left to be taken. Not while another one is
   * prepared: its routes have their tallies already.
   */
  retain(deployments: ReadonlySet<string>): void {
    for (const [deployment, { requests }] of this.tallies) {
      if (!deployments.has(deployment) && requests === 0) this.tallies.delete(deployment)
    }
  }
}
