/**
 * The power of two choices (M. Mitzenmacher, IEEE TPDS 12(10), 2001): draw two different targets by weight, take the
 * cheaper one. As good as looking at all of them, without sending the whole herd of threads to the same one.
 */
import type { Algorithm } from './balancer.ts'
import type { TargetGroup } from './target-set.ts'
import type { Target } from './target.ts'
import { WeightedDraw } from './weighted-draw.ts'

/** Draws before the search goes through the list: unfit targets are few, or all fit ones are. */
const DRAWS = 4

export function createTwoChoices(toCost: (target: Target, nowMs: number) => number, random: () => number): Algorithm {
  const draws = new WeakMap<TargetGroup, WeightedDraw>()

  function drawOf(group: TargetGroup): WeightedDraw {
    let draw = draws.get(group)
    if (draw === undefined) {
      draw = new WeightedDraw(group.targets.map((target) => target.endpoint.weight))
      draws.set(group, draw)
    }
    return draw
  }

  /** A fit target other than `other`, drawn by weight. */
  function drawFit(
    group: TargetGroup,
    draw: WeightedDraw,
    other: Target | undefined,
    tried: readonly Target[] | undefined,
    nowMs: number,
  ): Target | undefined {
    const { targets } = group
    let at = 0
    for (let i = 0; i < DRAWS; i++) {
      at = draw.next(random)
      const target = targets[at]
      if (target !== undefined && target !== other && isCandidate(target, tried, nowMs)) return target
    }
    for (let i = 1; i <= targets.length; i++) {
      const target = targets[(at + i) % targets.length]
      if (target !== undefined && target !== other && isCandidate(target, tried, nowMs)) return target
    }
    return undefined
  }

  return {
    choose(group, _hashKey, tried, nowMs) {
      const only = group.targets.length === 1 ? group.targets[0] : undefined
      if (only !== undefined) return isCandidate(only, tried, nowMs) ? only : undefined
      const draw = drawOf(group)
      const first = drawFit(group, draw, undefined, tried, nowMs)
      if (first === undefined) return undefined
      const second = drawFit(group, draw, first, tried, nowMs)
      if (second === undefined) return first
      return toCost(second, nowMs) < toCost(first, nowMs) ? second : first
    },
  }
}

function isCandidate(target: Target, tried: readonly Target[] | undefined, nowMs: number): boolean {
  return target.isFit(nowMs) && (tried === undefined || !tried.includes(target))
}
