/**
 * Operations of one method and path, such as `/#Action=Read` and `/#Action=Delete`, told apart by what their requests have
 * to carry: a parameter with a different value each, a parameter that only one of them requires, the media type of the body.
 */
import type { FieldMatch } from '../../kernel/snapshot.ts'
import { toPathShape } from '../route-path.ts'
import type { Demand } from './demands.ts'

export interface Contender {
  readonly method: string
  /** The route's path; names of parameters do not count. */
  readonly path: string
  /** Conditions that hold in any case. */
  readonly query: readonly FieldMatch[]
  /** Asked for only when another operation has the same method and path. */
  demands(): readonly Demand[]
  mediaTypes(): readonly string[]
}

export interface Conditions {
  readonly query: readonly FieldMatch[]
  readonly headers: readonly FieldMatch[]
}

/** The conditions of each contender, no more than it takes. Some may still be alike: the check of all routes finds them. */
export function tellApart<Each extends Contender>(contenders: readonly Each[]): Map<Each, Conditions> {
  const conditions = new Map<Each, Conditions>()
  const groups = Map.groupBy(contenders, ({ method, path }) => `${method} ${toPathShape(path)}`)
  for (const group of groups.values()) {
    if (group.length === 1) for (const each of group) conditions.set(each, { query: each.query, headers: [] })
    else for (const [each, found] of solve(group)) conditions.set(each, found)
  }
  return conditions
}

function solve<Each extends Contender>(group: readonly Each[]): (readonly [Each, Conditions])[] {
  const rivals = group.map((each) => new Rival(each))
  forEachPair(rivals, (a, b) => a.partByValue(b))
  forEachPair(rivals, (a, b) => a.partByPresence(b))
  // Conditions of other pairs can make the one that asks for less look like the one that asks for more. Whatever is added
  // parts a pair for good, so that this ends.
  for (let changed = true; changed;) {
    changed = false
    forEachPair(rivals, (a, b) => {
      changed = a.partByAbsence(b) || changed
    })
  }
  return group.map((each, at) => [each, rivals[at]?.toConditions() ?? { query: each.query, headers: [] }] as const)
}

function forEachPair(rivals: readonly Rival[], visit: (a: Rival, b: Rival) => void): void {
  rivals.forEach((b, at) => {
    for (const a of rivals.slice(0, at)) visit(a, b)
  })
}

const MEDIA_TYPE = 'header content-type'

class Rival {
  /** What its requests carry: the only value, or undefined for any. Keys are place and name. */
  private readonly facts = new Map<string, string | undefined>()
  /** The facts that its route asks for, and what must be absent. */
  private readonly chosen = new Map<string, { readonly value: string | undefined; readonly absent: boolean }>()
  private readonly mediaTypes: readonly string[]

  constructor(contender: Contender) {
    for (const { place, name, value } of contender.demands())
      if (place !== 'path') this.facts.set(`${place} ${name}`, value)
    for (const { name, value } of contender.query) {
      this.facts.set(`query ${name}`, value)
      this.chosen.set(`query ${name}`, { value, absent: false })
    }
    this.mediaTypes = contender.mediaTypes()
  }

  partByValue(other: Rival): void {
    if (this.isApartFrom(other)) return
    for (const [key, value] of this.facts) {
      const others = other.facts.get(key)
      if (value === undefined || others === undefined || value === others) continue
      this.choose(key)
      other.choose(key)
      return
    }
  }

  /** Whichever demands what the other does not asks for it; when both do, the first one wins where both would fit. */
  partByPresence(other: Rival): void {
    if (this.isApartFrom(other)) return
    const [mine, theirs] = [this.demandBeyond(other), other.demandBeyond(this)]
    if (mine !== undefined) this.choose(mine)
    else if (theirs !== undefined) other.choose(theirs)
    else this.partByMediaType(other)
    if (mine !== undefined && theirs !== undefined) other.forbid(mine)
  }

  /** Returns whether it parted the two. */
  partByAbsence(other: Rival): boolean {
    if (this.isApartFrom(other)) return false
    const [mine, theirs] = [this.demandBeyond(other), other.demandBeyond(this)]
    if (mine !== undefined && this.chosen.size <= other.chosen.size) return this.leave(mine, other)
    if (theirs !== undefined && other.chosen.size <= this.chosen.size) return other.leave(theirs, this)
    return false
  }

  isApartFrom(other: Rival): boolean {
    for (const [key, mine] of this.chosen) {
      const theirs = other.chosen.get(key)
      if (theirs === undefined) continue
      if (mine.absent !== theirs.absent) return true
      if (mine.value !== undefined && theirs.value !== undefined && mine.value !== theirs.value) return true
    }
    return false
  }

  toConditions(): Conditions {
    const listAt = (place: string): FieldMatch[] =>
      [...this.chosen].flatMap(([key, { value, absent }]) => {
        if (!key.startsWith(`${place} `)) return []
        const name = key.slice(place.length + 1)
        return [absent ? { name, value: undefined, absent: true as const } : { name, value }]
      })
    return { query: listAt('query'), headers: listAt('header') }
  }

  /** A demand that the other does not have, one that is asked for already before others; or one that is narrower. */
  private demandBeyond(other: Rival): string | undefined {
    const beyond = [...this.facts.keys()].filter((key) => !other.facts.has(key))
    const narrower = [...this.facts].find(([key, value]) => value !== undefined && other.facts.get(key) === undefined)
    return beyond.find((key) => this.chosen.has(key)) ?? beyond[0] ?? narrower?.[0]
  }

  private partByMediaType(other: Rival): void {
    const isOnlyMine = (a: Rival, b: Rival): boolean =>
      a.mediaTypes.length === 1 && b.mediaTypes.length > 0 && !b.mediaTypes.includes(a.mediaTypes[0] ?? '')
    if (isOnlyMine(this, other)) this.chooseMediaType()
    if (isOnlyMine(other, this)) other.chooseMediaType()
  }

  private chooseMediaType(): void {
    this.chosen.set(MEDIA_TYPE, { value: this.mediaTypes[0], absent: false })
  }

  /** Asks for what the other must not have; not possible for what both demand. */
  private leave(key: string, other: Rival): boolean {
    this.choose(key)
    other.forbid(key)
    return this.isApartFrom(other)
  }

  private choose(key: string): void {
    this.chosen.set(key, { value: this.facts.get(key), absent: false })
  }

  private forbid(key: string): void {
    if (!this.facts.has(key) && !this.chosen.has(key)) this.chosen.set(key, { value: undefined, absent: true })
  }
}
