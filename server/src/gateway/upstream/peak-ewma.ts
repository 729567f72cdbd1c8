/**
 * Peak-EWMA: the target with the lowest expected wait of two drawn ones. The estimate jumps up with a slow answer and
 * falls slowly (M. Primi, Finagle's `PeakEwma`; used by linkerd): cautious towards a target that just was slow.
 */
import type { Algorithm } from './balancer.ts'
import type { Target } from './target.ts'
import { createTwoChoices } from './two-choices.ts'

/** Time constant of the average: after 10 s an observation counts for 1/e. */
const DECAY_MS = 10_000

/** Cost of a target that is busy but has never answered: it gets no second exchange before its first answer. */
const UNKNOWN_MS = 60_000

/** Takes the time to a response's head into the average. */
export function observeLatency(target: Target, latencyMs: number, nowMs: number): void {
  if (latencyMs >= target.latencyMs) target.latencyMs = latencyMs
  else {
    const kept = Math.exp((target.latencyAtMs - nowMs) / DECAY_MS)
    target.latencyMs = target.latencyMs * kept + latencyMs * (1 - kept)
  }
  target.latencyAtMs = nowMs
}

/** Expected wait at a target, for its weight. What is not asked for a while becomes attractive again. */
export function toCost(target: Target, nowMs: number): number {
  const { weight } = target.endpoint
  if (target.latencyMs === 0) return target.inFlight === 0 ? 0 : UNKNOWN_MS * target.inFlight
  const latencyMs = target.latencyMs * Math.exp((target.latencyAtMs - nowMs) / DECAY_MS)
  return (latencyMs * (target.inFlight + 1)) / weight
}

export function createPeakEwma(random: () => number): Algorithm {
  return createTwoChoices(toCost, random)
}
