/**
 * Smooth weighted round robin (I. Sysoev and M. Dounin, nginx 1.3.1): weights 5, 1, 1 give a a b a c a a and never
 * five in a row. Each fit target earns its weight; the richest serves and pays what all earned.
 */
import type { Algorithm } from './balancer.ts'
import type { Target } from './target.ts'

export function createRoundRobin(): Algorithm {
  return {
    choose(group, _hashKey, tried, nowMs) {
      let best: Target | undefined
      let earned = 0
      for (const target of group.targets) {
        if (!target.isFit(nowMs) || (tried !== undefined && tried.includes(target))) continue
        const { weight } = target.endpoint
        earned += weight
        target.credit += weight
        if (best === undefined || target.credit > best.credit) best = target
      }
      if (best !== undefined) best.credit -= earned
      return best
    },
  }
}
