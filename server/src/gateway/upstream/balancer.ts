/**
 * Chooses the target of an attempt: the configured algorithm among the fit, untried targets of the first group that
 * has one; the least bad target when no group has.
 */
import type { UpstreamSpec } from '../../kernel/snapshot.ts'
import { createConsistentHash } from './consistent-hash.ts'
import { createLeastRequests } from './least-requests.ts'
import { createPeakEwma } from './peak-ewma.ts'
import { createRoundRobin } from './round-robin.ts'
import type { Target } from './target.ts'
import { pickLeastBad, type TargetGroup, type TargetSet } from './target-set.ts'

export interface Balancer {
  /**
   * The target to try next; undefined when there is none, which is the problem `upstream.no_target`.
   * `hashKey` matters to consistent hashing only; `tried` are the targets that this exchange has tried already.
   */
  pick(
    set: TargetSet,
    hashKey: string | undefined,
    tried: readonly Target[] | undefined,
    nowMs: number,
  ): Target | undefined
}

/** Chooses among the fit targets of one group that were not tried; undefined when there is none. */
export interface Algorithm {
  choose(
    group: TargetGroup,
    hashKey: string | undefined,
    tried: readonly Target[] | undefined,
    nowMs: number,
  ): Target | undefined
}

const ALGORITHMS: Readonly<Record<UpstreamSpec['loadBalancing']['algorithm'], (random: () => number) => Algorithm>> = {
  'round-robin': createRoundRobin,
  'least-requests': createLeastRequests,
  'peak-ewma': createPeakEwma,
  'consistent-hash': createConsistentHash,
}

/** `random` draws from [0, 1). */
export function createBalancer(
  loadBalancing: UpstreamSpec['loadBalancing'],
  random: () => number = Math.random,
): Balancer {
  const algorithm = ALGORITHMS[loadBalancing.algorithm](random)
  return {
    pick(set, hashKey, tried, nowMs) {
      for (const group of set.groups) {
        const target = algorithm.choose(group, hashKey, tried, nowMs)
        if (target !== undefined) return target
      }
      return pickLeastBad(set, tried, nowMs)
    },
  }
}
