/** A schema with its references followed and its `allOf` put together; what is left to choose stands beside. */
import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts'
import { mergeFacts, type Facts } from './merge-schemas.ts'

export interface FlatSchema {
  readonly facts: Facts
  /** Of each list, one has to hold: `anyOf`, `oneOf`, and a condition that is fulfilled or not. */
  readonly choices: readonly Choice[]
}

export interface Choice {
  readonly branches: readonly JsonValue[]
  readonly discriminator: JsonValue | undefined
}

/** Schemas that are put together for one value; parts that refer to each other could otherwise double without end. */
const MAX_PARTS = 20_000

export const anything: FlatSchema = { facts: {}, choices: [] }

export class SchemaReader {
  private readonly components: JsonObject
  private readonly known = new Map<JsonObject, FlatSchema | undefined>()
  private parts = 0

  constructor(components: JsonObject) {
    this.components = components
  }

  /** What a reference leads to; everything is accepted where it leads nowhere. */
  follow(reference: JsonValue | undefined): JsonValue {
    return this.components[toComponentName(reference) ?? ''] ?? true
  }

  /** Undefined when no value can fulfil the schema. */
  flatten(schema: JsonValue): FlatSchema | undefined {
    if (!isJsonObject(schema)) return schema === false ? undefined : anything
    if (!this.known.has(schema)) this.known.set(schema, this.flattenObject(schema, new Set()))
    return this.known.get(schema)
  }

  /** Undefined when the two cannot hold for one value. */
  merge(one: FlatSchema, other: FlatSchema): FlatSchema | undefined {
    const facts = mergeFacts(one.facts, other.facts)
    return facts && { facts, choices: [...one.choices, ...other.choices] }
  }

  /** `open` are the references that lead here without going into a property or item. */
  private flattenObject(schema: JsonObject, open: ReadonlySet<JsonValue>): FlatSchema | undefined {
    const { $ref, allOf, anyOf, oneOf, if: condition, then, else: otherwise, const: only, ...own } = schema
    const facts = only === undefined ? own : { ...own, enum: [only] }
    const { discriminator } = facts
    const lists = [anyOf, oneOf].filter(isJsonList).filter((list) => list.length > 0)
    if (condition !== undefined) lists.push([{ allOf: [condition, then ?? true] }, otherwise ?? true])
    let flat: FlatSchema | undefined = { facts, choices: lists.map((branches) => ({ branches, discriminator })) }
    const target = $ref === undefined || open.has($ref) ? [] : [this.follow($ref)]
    const opened = $ref === undefined ? open : new Set([...open, $ref])
    if (++this.parts > MAX_PARTS) return flat
    for (const part of [...target, ...(isJsonList(allOf) ? allOf : [])]) {
      const other = isJsonObject(part) ? this.flattenObject(part, opened) : this.flatten(part)
      flat = other && this.merge(flat, other)
      if (flat === undefined) return undefined
    }
    return this.withDependent(flat, opened)
  }

  /** What holds for objects with a property (`dependentSchemas`) holds where the property is required. */
  private withDependent(flat: FlatSchema, open: ReadonlySet<JsonValue>): FlatSchema | undefined {
    const { dependentSchemas, required } = flat.facts
    if (!isJsonObject(dependentSchemas) || !isJsonList(required)) return flat
    const parts = Object.entries(dependentSchemas).filter(([name]) => required.includes(name))
    let whole: FlatSchema | undefined = flat
    for (const [, part] of parts) {
      const other = isJsonObject(part) ? this.flattenObject(part, open) : this.flatten(part)
      whole = whole && other && this.merge(whole, other)
    }
    return whole
  }
}

/** The name in `components` of what a reference leads to. */
export function toComponentName(reference: JsonValue | undefined): string | undefined {
  return typeof reference === 'string' ? /^#\/components\/schemas\/([^/]+)$/.exec(reference)?.[1] : undefined
}
