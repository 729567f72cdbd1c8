/**
 * The targets of an upstream in groups of equal priority. A group serves only when no target of those before it is fit
 * or, in a retry, untried; when nothing is fit at all, the least bad one serves, unless its circuit breaker is open.
 */
import type { Target } from './target.ts'

export class TargetGroup {
  readonly priority: number
  readonly targets: readonly Target[]
  /** Sum of the weights. */
  readonly weight: number

  constructor(priority: number, targets: readonly Target[]) {
    this.priority = priority
    this.targets = targets
    this.weight = targets.reduce((sum, target) => sum + target.endpoint.weight, 0)
  }
}

export class TargetSet {
  targets: readonly Target[] = []
  /** In order of priority; replaced as a whole when the targets change, so that a balancer sees that they did. */
  groups: readonly TargetGroup[] = []

  constructor(targets: readonly Target[] = []) {
    this.replace(targets)
  }

  /** Takes other targets, e.g. after names were resolved again. A weight of 0 takes a target out of use. */
  replace(targets: readonly Target[]): void {
    const byPriority = new Map<number, Target[]>()
    this.targets = targets.filter((target) => target.endpoint.weight > 0)
    for (const target of this.targets) {
      const group = byPriority.get(target.endpoint.priority)
      if (group === undefined) byPriority.set(target.endpoint.priority, [target])
      else group.push(target)
    }
    this.groups = [...byPriority]
      .toSorted(([a], [b]) => a - b)
      .map(([priority, members]) => new TargetGroup(priority, members))
  }
}

/** How bad a target is that no algorithm would choose; the lowest serves. Infinity: it must not be used. */
function toBadness(target: Target, tried: readonly Target[] | undefined, nowMs: number): number {
  if (!target.isAdmitted(nowMs)) return Infinity
  const wasTried = tried !== undefined && tried.includes(target)
  // A fit target that failed this exchange once is a better bet than one that is known to be down.
  if (target.isFit(nowMs)) return 0
  const ejected = nowMs < target.ejectedUntilMs ? 1 : 0
  return 1 + ejected + (target.healthy ? 0 : 2) + (wasTried ? 4 : 0)
}

/** The last resort: every fit target was tried, or none is fit. Groups of lower priority come after the others. */
export function pickLeastBad(set: TargetSet, tried: readonly Target[] | undefined, nowMs: number): Target | undefined {
  let best: Target | undefined
  let bestBadness = Infinity
  let bestLoad = Infinity
  for (const group of set.groups) {
    for (const target of group.targets) {
      const badness = toBadness(target, tried, nowMs)
      const load = target.inFlight / target.endpoint.weight
      const better =
        badness < bestBadness ||
        (badness === bestBadness && target.endpoint.priority === best?.endpoint.priority && load < bestLoad)
      if (badness === Infinity || !better) continue
      best = target
      bestBadness = badness
      bestLoad = load
    }
  }
  return best
}
