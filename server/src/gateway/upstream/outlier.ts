/**
 * Passive outlier ejection: a target that fails several times in a row is left out for a while, longer each time it
 * happens again, and comes back by itself.
 */
import type { OutlierSpec } from '../../kernel/snapshot.ts'
import type { Target } from './target.ts'
import type { TargetSet } from './target-set.ts'

/** Counts a failure and ejects the target when it was one too many and enough others stay. */
export function countFailure(target: Target, spec: OutlierSpec, set: TargetSet, nowMs: number): void {
  target.consecutiveFailures++
  if (target.consecutiveFailures < spec.consecutiveFailures || nowMs < target.ejectedUntilMs) return
  if (!mayEject(target, spec, set, nowMs)) return
  forgive(target, spec, nowMs)
  const ejectionMs = Math.min(spec.maxEjectionMs, spec.baseEjectionMs * 2 ** target.ejections)
  target.ejections++
  target.ejectedUntilMs = nowMs + ejectionMs
  target.consecutiveFailures = 0
}

/** A target that served well for a while after it came back is not held to its past: one step for each base time. */
function forgive(target: Target, spec: OutlierSpec, nowMs: number): void {
  if (target.ejections === 0) return
  const steps = Math.floor((nowMs - target.ejectedUntilMs) / Math.max(1, spec.baseEjectionMs))
  target.ejections = Math.max(0, target.ejections - steps)
}

/**
 * At most `maxEjectedPercent` of the targets are out at once, but one may be whenever the percentage is not 0; and a
 * target stays when no other one is fit, because a poor target serves more than none.
 */
function mayEject(target: Target, spec: OutlierSpec, set: TargetSet, nowMs: number): boolean {
  let ejected = 0
  let otherIsFit = false
  for (const each of set.targets) {
    if (each.ejectedUntilMs > nowMs) ejected++
    else if (each !== target && each.isFit(nowMs)) otherIsFit = true
  }
  if (!otherIsFit || spec.maxEjectedPercent === 0) return false
  return ejected < Math.max(1, Math.floor((set.targets.length * spec.maxEjectedPercent) / 100))
}
