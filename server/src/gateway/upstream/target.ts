/**
 * The live state of one address of a target, one object per worker thread. It outlives a reload: the registry hands
 * the same object to the next snapshot, with its load, its breaker, its ejection and its connections.
 */
import type { CircuitBreaker } from './circuit-breaker.ts'
import type { UpstreamClient } from './client.ts'
import type { Endpoint } from './endpoint.ts'
import { HEALTHY, type HealthVerdicts, NO_VERDICTS } from './health-board.ts'

export class Target {
  /** Replaced by the registry when weight, priority or further addresses change; the id stays. */
  endpoint: Endpoint
  /** All connections to it from this thread; set by the registry. */
  client: UpstreamClient | undefined = undefined
  /** Exchanges that were started and have not finished. */
  inFlight = 0
  consecutiveFailures = 0
  ejectedUntilMs = 0
  /** How often it was ejected lately; makes the next ejection longer. */
  ejections = 0
  breaker: CircuitBreaker | undefined = undefined
  /** Peak-EWMA of the time to the response's head, and when it was last brought up to date. */
  latencyMs = 0
  latencyAtMs = 0
  /** Credit of smooth weighted round robin. */
  credit = 0
  /** TLS session to resume. */
  tlsSession: Buffer | undefined = undefined
  private readonly verdicts: HealthVerdicts

  constructor(endpoint: Endpoint, verdicts: HealthVerdicts = NO_VERDICTS) {
    this.endpoint = endpoint
    this.verdicts = verdicts
  }

  /** What the active health checks say. */
  get healthy(): boolean {
    return Atomics.load(this.verdicts, this.endpoint.healthSlot) === HEALTHY
  }

  /** Whether it may be chosen now without need. */
  isFit(nowMs: number): boolean {
    return nowMs >= this.ejectedUntilMs && this.isAdmitted(nowMs) && this.healthy
  }

  /** Whether its circuit breaker lets an exchange through; without that it is not used even in need. */
  isAdmitted(nowMs: number): boolean {
    return this.breaker === undefined || this.breaker.admits(nowMs)
  }
}
