/**
 * Two versions of a schema. What callers send may be taken more freely, what they get may be promised more closely; the
 * other way round breaks them. Schemas in a circle are compared once for each pair.
 */
import type { KeyPath } from '../../config/issues.ts'
import { isTree } from '../../config/openapi/json-tree.ts'
import type { Comparison } from './compare-context.ts'
import { compareRules, type CompareRule } from './compare-rules.ts'
import { toEffectiveSchema, type EffectiveSchema } from './effective-schema.ts'

/** Which way the values go. */
export type Direction = 'request' | 'response'

interface DirectionRules {
  readonly narrowed: CompareRule
  readonly widened: CompareRule
}

const rulesOf = {
  request: {
    type: { narrowed: compareRules.requestTypeNarrowed, widened: compareRules.requestTypeWidened },
    values: { narrowed: compareRules.requestEnumNarrowed, widened: compareRules.requestEnumWidened },
    bound: { narrowed: compareRules.requestBoundNarrowed, widened: compareRules.requestBoundWidened },
    choice: { narrowed: compareRules.requestChoiceRemoved, widened: compareRules.requestChoiceAdded },
  },
  response: {
    type: { narrowed: compareRules.responseTypeNarrowed, widened: compareRules.responseTypeWidened },
    values: { narrowed: compareRules.responseEnumNarrowed, widened: compareRules.responseEnumWidened },
    bound: { narrowed: compareRules.responseBoundNarrowed, widened: compareRules.responseBoundWidened },
    choice: { narrowed: compareRules.responseChoiceRemoved, widened: compareRules.responseChoiceAdded },
  },
} satisfies Record<string, Record<string, DirectionRules>>

/** Levels of schemas inside each other. */
const MOST_LEVELS = 100

export class SchemaComparison {
  private readonly comparison: Comparison
  private readonly direction: Direction
  /** Pairs that were compared, so that a circle ends. */
  private readonly compared = new WeakMap<object, WeakSet<object>>()

  constructor(comparison: Comparison, direction: Direction) {
    this.comparison = comparison
    this.direction = direction
  }

  compare(before: unknown, after: unknown, path: KeyPath, level = 0): void {
    const { comparison } = this
    const [old, next] = [comparison.before.follow(before), comparison.after.follow(after)]
    if (this.isKnown(old, next)) return
    if (level > MOST_LEVELS) {
      comparison.tell(compareRules.tooDeep, path, `the schema has more than ${MOST_LEVELS} levels`)
      return
    }
    const a = toEffectiveSchema(before, comparison.before)
    const b = toEffectiveSchema(after, comparison.after)
    if (!comparison.spend(a.steps + b.steps, path)) return
    this.compareSets(a.types, b.types, rulesOf[this.direction].type, [...path, 'type'], 'the type')
    this.compareSets(a.values, b.values, rulesOf[this.direction].values, [...path, 'enum'], 'the value')
    this.compareBounds(a, b, path)
    this.compareProperties(a, b, path, level)
    if (a.items !== undefined && b.items !== undefined) this.compare(a.items, b.items, [...path, 'items'], level + 1)
    if (isTree(a.additional) && isTree(b.additional)) {
      this.compare(a.additional, b.additional, [...path, 'additionalProperties'], level + 1)
    }
    this.compareChoices(a, b, path, level)
  }

  private isKnown(before: object, after: object): boolean {
    const known = this.compared.get(before) ?? new WeakSet()
    if (known.has(after)) return true
    known.add(after)
    this.compared.set(before, known)
    return false
  }

  private compareSets(
    before: ReadonlySet<string> | undefined,
    after: ReadonlySet<string> | undefined,
    rules: DirectionRules,
    path: KeyPath,
    what: string,
  ): void {
    if (before === undefined && after === undefined) return
    const gone = before === undefined ? ['any other'] : [...before].filter((each) => !has(after, each))
    const added = after === undefined ? ['any other'] : [...after].filter((each) => !has(before, each))
    if (after !== undefined && gone.length > 0)
      this.comparison.tell(rules.narrowed, path, `${what} ${gone.join(', ')} is gone`)
    if (before !== undefined && added.length > 0)
      this.comparison.tell(rules.widened, path, `${what} ${added.join(', ')} is new`)
  }

  private compareBounds(before: EffectiveSchema, after: EffectiveSchema, path: KeyPath): void {
    this.compareLimits(before.lower, after.lower, 1, path)
    this.compareLimits(before.upper, after.upper, -1, path)
    const rules = rulesOf[this.direction].bound
    for (const key of new Set([...before.exact.keys(), ...after.exact.keys()])) {
      const [old, next] = [before.exact.get(key), after.exact.get(key)]
      if (old === next) continue
      // One value in place of another lets some things pass and others no more: it is both.
      if (next !== undefined) this.comparison.tell(rules.narrowed, [...path, key], `${key} is ${next}`)
      if (old !== undefined) this.comparison.tell(rules.widened, [...path, key], `${key} is no longer ${old}`)
    }
  }

  /** `sign` is 1 where a larger number is narrower. */
  private compareLimits(
    before: ReadonlyMap<string, number>,
    after: ReadonlyMap<string, number>,
    sign: 1 | -1,
    path: KeyPath,
  ): void {
    const rules = rulesOf[this.direction].bound
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const old = (before.get(key) ?? -sign * Number.POSITIVE_INFINITY) * sign
      const next = (after.get(key) ?? -sign * Number.POSITIVE_INFINITY) * sign
      if (next > old) this.comparison.tell(rules.narrowed, [...path, key], `${key} is ${after.get(key)}`)
      if (next < old) this.comparison.tell(rules.widened, [...path, key], `${key} is no longer ${before.get(key)}`)
    }
  }

  private compareProperties(before: EffectiveSchema, after: EffectiveSchema, path: KeyPath, level: number): void {
    const isRequest = this.direction === 'request'
    for (const [name, old] of before.properties) {
      const at = [...path, 'properties', name]
      if (after.properties.has(name)) this.compare(old, after.properties.get(name), at, level + 1)
      else if (!isRequest)
        this.comparison.tell(compareRules.responsePropertyRemoved, at, `the property ${name} is gone`)
      else {
        const rule = after.isClosed ? compareRules.requestPropertyRemoved : compareRules.requestPropertyIgnored
        this.comparison.tell(rule, at, `the property ${name} is gone`)
      }
    }
    for (const name of after.properties.keys()) {
      if (before.properties.has(name)) continue
      const rule = isRequest ? compareRules.requestPropertyAdded : compareRules.responsePropertyAdded
      this.comparison.tell(rule, [...path, 'properties', name], `the property ${name} is new`)
    }
    this.compareRequired(before, after, path)
    if (!isRequest || before.isClosed === after.isClosed) return
    const rule = after.isClosed ? compareRules.requestClosed : compareRules.requestOpened
    this.comparison.tell(
      rule,
      [...path, 'additionalProperties'],
      after.isClosed ? 'other properties are refused' : 'other properties pass',
    )
  }

  /** A property that only answers have is never asked of a request, and the other way round (OpenAPI 3.1 §4.8.24). */
  private compareRequired(before: EffectiveSchema, after: EffectiveSchema, path: KeyPath): void {
    const isRequest = this.direction === 'request'
    const silent = isRequest ? 'readOnly' : 'writeOnly'
    for (const name of after.required) {
      if (before.required.has(name)) continue
      if (this.comparison.after.follow(after.properties.get(name))[silent] === true) continue
      const rule = isRequest ? compareRules.requestPropertyRequired : compareRules.responsePropertyRequired
      this.comparison.tell(rule, [...path, 'required'], `the property ${name} is required`)
    }
    for (const name of before.required) {
      if (after.required.has(name) || (!isRequest && !after.properties.has(name))) continue
      const rule = isRequest ? compareRules.requestPropertyOptional : compareRules.responsePropertyOptional
      this.comparison.tell(rule, [...path, 'required'], `the property ${name} is optional`)
    }
  }

  /** Alternatives are the same when a reference or title names them alike, else when they stand at the same place. */
  private compareChoices(before: EffectiveSchema, after: EffectiveSchema, path: KeyPath, level: number): void {
    const rules = rulesOf[this.direction].choice
    const old = new Map(before.choices.flat().map((each, index) => [toChoiceName(each, index), each]))
    const next = new Map(after.choices.flat().map((each, index) => [toChoiceName(each, index), each]))
    if (old.size === 0 && next.size === 0) return
    const at = [...path, 'oneOf']
    for (const [name, each] of old) {
      if (next.has(name)) this.compare(each, next.get(name), [...at, name], level + 1)
      // When all are gone, any shape is as good as the other.
      else if (next.size > 0) this.comparison.tell(rules.narrowed, at, `the alternative ${name} is gone`)
    }
    for (const name of next.keys()) {
      if (!old.has(name) && old.size > 0) this.comparison.tell(rules.widened, at, `the alternative ${name} is new`)
    }
    if (old.size === 0) this.comparison.tell(rules.narrowed, at, 'one of several shapes is asked for')
    if (next.size === 0) this.comparison.tell(rules.widened, at, 'no shape is asked for any more')
  }
}

function has(set: ReadonlySet<string> | undefined, value: string): boolean {
  return set === undefined || set.has(value) || (value === 'integer' && set.has('number'))
}

function toChoiceName(schema: unknown, index: number): string {
  const { $ref: reference, title } = isTree(schema) ? schema : {}
  if (typeof reference === 'string') return reference.split('/').at(-1) ?? reference
  return typeof title === 'string' ? title : String(index)
}
