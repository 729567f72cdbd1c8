/** What a schema asks for once its references and `allOf` are put together, in the terms of OpenAPI 3.0 and 3.1 alike. */
import { isTree, listOf, textsOf, toTree, type Tree } from '../../config/openapi/json-tree.ts'
import type { Side } from './compare-context.ts'

export interface EffectiveSchema {
  /** Undefined: any type. */
  readonly types: ReadonlySet<string> | undefined
  /** Values as JSON; undefined: any. */
  readonly values: ReadonlySet<string> | undefined
  readonly properties: ReadonlyMap<string, unknown>
  readonly required: ReadonlySet<string>
  /** Whether properties that are not described are refused. */
  readonly isClosed: boolean
  /** What those that are not described have to be. */
  readonly additional: unknown
  readonly items: unknown
  /** Lists of alternatives, `oneOf` and `anyOf` alike. */
  readonly choices: readonly (readonly unknown[])[]
  readonly lower: ReadonlyMap<string, number>
  readonly upper: ReadonlyMap<string, number>
  /** Keywords whose values have no order: pattern, format, multipleOf, uniqueItems. */
  readonly exact: ReadonlyMap<string, string>
  /** Parts and entries that were read for it. */
  readonly steps: number
}

const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']
const EXACT = ['pattern', 'format', 'multipleOf', 'uniqueItems']

/** Parts of `allOf` inside each other that are put together; more say no more that anybody could read. */
const MOST_PARTS = 100

export function toEffectiveSchema(schema: unknown, side: Side): EffectiveSchema {
  const gathered = new Gathering()
  const seen = new Set<unknown>()
  const waiting: unknown[] = [schema]
  while (waiting.length > 0 && seen.size < MOST_PARTS) {
    const each = waiting.shift()
    const value = side.follow(each)
    if (seen.has(value)) continue
    seen.add(value)
    gathered.add(value)
    // Since 3.1, a reference may have keywords beside it.
    if (isTree(each) && each !== value) gathered.add(each)
    for (const part of listOf(value['allOf'])) waiting.push(part)
  }
  return gathered
}

class Gathering implements EffectiveSchema {
  types: Set<string> | undefined
  values: Set<string> | undefined
  readonly properties = new Map<string, unknown>()
  readonly required = new Set<string>()
  isClosed = false
  additional: unknown
  items: unknown
  readonly choices: (readonly unknown[])[] = []
  readonly lower = new Map<string, number>()
  readonly upper = new Map<string, number>()
  readonly exact = new Map<string, string>()
  steps = 0

  add(schema: Tree): void {
    this.steps++
    this.addTypes(schema)
    this.addValues(schema)
    for (const [name, value] of Object.entries(toTree(schema['properties']))) {
      this.properties.set(name, value)
      this.steps++
    }
    for (const name of textsOf(schema['required'])) {
      this.required.add(name)
      this.steps++
    }
    const additional = schema['additionalProperties']
    if (additional === false || schema['unevaluatedProperties'] === false) this.isClosed = true
    if (isTree(additional)) this.additional = additional
    if (schema['items'] !== undefined) this.items = schema['items']
    for (const key of ['oneOf', 'anyOf']) {
      const choices = listOf(schema[key])
      if (choices.length > 0) this.choices.push(choices)
      this.steps += choices.length
    }
    this.addBounds(schema)
  }

  private addTypes({ type, nullable }: Tree): void {
    const listed = typeof type === 'string' ? [type] : textsOf(type)
    if (listed.length === 0) return
    const all = new Set(nullable === true ? [...listed, 'null'] : listed)
    const known = this.types
    // Every number without a fraction is an integer.
    const isKnown = (each: string): boolean =>
      known === undefined || known.has(each) || (each === 'integer' && known.has('number'))
    this.types = new Set([...all].filter(isKnown))
    if (known?.has('integer') === true && all.has('number')) this.types.add('integer')
  }

  private addValues(schema: Tree): void {
    const listed = Object.hasOwn(schema, 'const') ? [schema['const']] : schema['enum']
    if (!Array.isArray(listed)) return
    const texts = listed.map((each) => JSON.stringify(each))
    this.steps += texts.length
    this.values = new Set(texts.filter((each) => this.values === undefined || this.values.has(each)))
  }

  private addBounds(schema: Tree): void {
    for (const [list, bounds, pick] of [
      [LOWER, this.lower, Math.max],
      [UPPER, this.upper, Math.min],
    ] as const) {
      for (const key of list) {
        const value = schema[key]
        if (typeof value === 'number') bounds.set(key, pick(value, bounds.get(key) ?? value))
        // In 3.0 it says of the bound beside it that it is not included.
        if (value === true) this.exact.set(key, 'true')
      }
    }
    for (const key of EXACT) {
      const value = schema[key]
      if (value !== undefined && value !== false) this.exact.set(key, JSON.stringify(value))
    }
  }
}
