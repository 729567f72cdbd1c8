/** Least requests: of two drawn targets, the one with fewer exchanges in flight for its weight. */
import type { Algorithm } from './balancer.ts'
import type { Target } from './target.ts'
import { createTwoChoices } from './two-choices.ts'

// Without the request to come, so that idle targets are equal and the draw by weight decides between them.
function toLoad(target: Target): number {
  return target.inFlight / target.endpoint.weight
}

export function createLeastRequests(random: () => number): Algorithm {
  return createTwoChoices(toLoad, random)
}
