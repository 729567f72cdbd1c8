/** Which callers get which revision of an api, while several run side by side. */
import type { ApiSpec } from '../kernel/snapshot.ts'
import { CallerSplit } from './caller-split.ts'

/** A condition on the exchange; undefined: all callers, `false`: none. */
export type Side = ReturnType<CallerSplit['conditionOf']>

export class RevisionSides {
  private readonly splits = new Map<string, CallerSplit>()
  private readonly sides = new WeakMap<ApiSpec, { readonly side: Side }>()

  sideOf(api: ApiSpec | undefined): Side {
    if (api?.release === undefined) return undefined
    const known = this.sides.get(api)
    if (known !== undefined) return known.side
    const { split } = api.release
    // Revisions of one group ask the same object, which hashes once for all of them.
    const { from: _from, to: _to, ...group } = split
    const name = JSON.stringify(group)
    const callers = this.splits.get(name) ?? new CallerSplit(split)
    this.splits.set(name, callers)
    const side = callers.conditionOf(api.release)
    this.sides.set(api, { side })
    return side
  }

  /** Forgets groups that no api has any more. */
  retain(apis: Iterable<ApiSpec>): void {
    const groups = new Set<string>()
    for (const { release } of apis) {
      if (release === undefined) continue
      const { from: _from, to: _to, ...group } = release.split
      groups.add(JSON.stringify(group))
    }
    for (const name of this.splits.keys()) if (!groups.has(name)) this.splits.delete(name)
  }
}
