/**
 * Makes values of a schema, the same ones for the same seed. Whatever the schema refers to, the work ends: beyond some
 * depth and number of values only what is required is made, by the shallowest way, and beyond more nothing at all.
 *
 * Where a schema leaves a choice (`oneOf`, `anyOf`, `if`, `not`), values are made for one branch after the other, with and
 * without what is optional, until one fulfils the whole; when none does, the last one is given.
 */
import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts'
import { SchemaReader, toComponentName, type Choice, type FlatSchema } from './flat-schema.ts'
import { generateList } from './generate-list.ts'
import { generateNumber } from './generate-number.ts'
import { generateObject } from './generate-object.ts'
import { generateText } from './generate-text.ts'
import { toTypes, type Facts } from './merge-schemas.ts'
import type { Random } from './random.ts'
import { SchemaHeights } from './schema-heights.ts'
import { SchemaMatcher } from './schema-matcher.ts'

/** Beyond these, only what has to be there. */
const RICH_DEPTH = 4
const RICH_VALUES = 300
/** Beyond these, nothing. */
const MAX_DEPTH = 60
const MAX_VALUES = 10_000
const MAX_TRIES = 32

/** Where a value is made. */
export interface Spot {
  /** Name of the property that it is for. */
  readonly name: string
  readonly depth: number
  /** Without what is optional. */
  readonly lean: boolean
}

export const top: Spot = { name: '', depth: 0, lean: false }

export class ValueGenerator {
  readonly matcher: SchemaMatcher
  readonly random: Random
  private readonly reader: SchemaReader
  private readonly heights: SchemaHeights
  private readonly usesExamples: boolean
  private values = 0

  /** With `usesExamples`, what a schema names as an example or default is preferred where it fulfils the schema. */
  constructor(components: JsonObject, random: Random, usesExamples: boolean) {
    this.reader = new SchemaReader(components)
    this.matcher = new SchemaMatcher(this.reader)
    this.heights = new SchemaHeights(this.reader)
    this.random = random
    this.usesExamples = usesExamples
  }

  /** A value of the schema; undefined when there is none, or none within bounds. */
  generate(schema: JsonValue, spot: Spot = top): JsonValue | undefined {
    if (spot.depth > MAX_DEPTH || ++this.values > MAX_VALUES) return undefined
    const flat = this.reader.flatten(schema)
    if (flat === undefined) return undefined
    const example = this.usesExamples ? this.findExample(schema, flat.facts) : undefined
    if (example !== undefined) return example
    const { facts, choices } = flat
    const isPlain = choices.length === 0 && facts['not'] === undefined
    return isPlain ? this.generateByFacts(facts, spot) : this.generateByTrial(schema, flat, spot)
  }

  isScarce({ depth, lean }: Spot): boolean {
    return lean || depth >= RICH_DEPTH || this.values > RICH_VALUES
  }

  private findExample(schema: JsonValue, { example, examples, default: fallback }: Facts): JsonValue | undefined {
    const named = [...(isJsonList(examples) ? examples : []), example, fallback]
    return named.find((each) => each !== undefined && each !== null && this.matcher.matches(schema, each))
  }

  private generateByTrial(schema: JsonValue, flat: FlatSchema, spot: Spot): JsonValue | undefined {
    let last: JsonValue | undefined
    for (let turn = 0; turn < MAX_TRIES; turn++) {
      const facts = this.choose(flat, Math.floor(turn / 2), spot)
      const value = facts && this.generateByFacts(facts, { ...spot, lean: spot.lean || turn % 2 === 1 })
      if (value === undefined) continue
      if (this.matcher.matches(schema, value)) return value
      last = value
      if (this.values > RICH_VALUES || this.matcher.isExhausted) break
    }
    return last
  }

  /**
   * The facts with a branch of every choice; undefined when those cannot hold together. The turns go through all
   * combinations, the first choice fastest.
   */
  private choose(flat: FlatSchema, turn: number, spot: Spot): Facts | undefined {
    let chosen: FlatSchema | undefined = { ...flat, choices: [] }
    const waiting = [...flat.choices]
    let rest = turn
    for (let steps = 0; waiting.length > 0 && steps < MAX_DEPTH; steps++) {
      const [next = anyBranch] = waiting.splice(0, 1)
      const branch = this.reader.flatten(this.pickBranch(next, rest, spot))
      rest = Math.floor(rest / next.branches.length)
      chosen = branch && this.reader.merge(chosen, branch)
      if (chosen === undefined) return undefined
      waiting.push(...chosen.choices)
      chosen = { ...chosen, choices: [] }
    }
    return chosen.facts
  }

  private pickBranch({ branches, discriminator }: Choice, turn: number, spot: Spot): JsonValue {
    const order = this.isScarce(spot)
      ? branches.toSorted((one, other) => this.heights.of(one) - this.heights.of(other))
      : branches
    // Null says least of what a schema describes, so it comes last.
    const telling = order.filter((branch) => toTypes(this.reader.flatten(branch)?.facts['type'])?.join() !== 'null')
    const all = [...telling, ...order.filter((branch) => !telling.includes(branch))]
    const branch = all[turn % all.length] ?? true
    const tag = toTag(discriminator, branch, branches)
    return tag === undefined ? branch : { allOf: [branch, tag] }
  }

  private generateByFacts(facts: Facts, spot: Spot): JsonValue | undefined {
    const { enum: values } = facts
    if (isJsonList(values)) return this.pickValue(values, facts)
    const types = (toTypes(facts['type']) ?? guessTypes(facts)).filter((type) => type !== 'null')
    const [first = 'null', ...rest] = this.isScarce(spot) ? types.toSorted(byCost) : types
    const order = this.isScarce(spot) || rest.length === 0 ? [first, ...rest] : rotate([first, ...rest], this.random)
    for (const type of order) {
      const value = this.generateOfType(type, facts, spot)
      if (value !== undefined) return value
    }
    return toTypes(facts['type'])?.includes('null') === true ? null : undefined
  }

  private pickValue(values: readonly JsonValue[], facts: Facts): JsonValue | undefined {
    const fitting = values.filter((value) => this.matcher.matches(facts, value))
    const telling = fitting.filter((value) => value !== null && value !== '')
    return telling.length > 0 ? telling[this.random.whole(0, telling.length - 1)] : fitting[0]
  }

  private generateOfType(type: string, facts: Facts, spot: Spot): JsonValue | undefined {
    if (type === 'object') return generateObject(facts, spot, this)
    if (type === 'array') return generateList(facts, spot, this)
    if (type === 'string') return generateText(facts, spot.name, this.random)
    if (type === 'boolean') return this.random.next() < 0.5
    if (type === 'null') return null
    return generateNumber(facts, type === 'integer', this.random)
  }
}

const anyBranch: Choice = { branches: [true], discriminator: undefined }

/** What the discriminator (OpenAPI 3.1 §4.8.25) says of the branch; undefined when its value is not known. */
function toTag(
  discriminator: JsonValue | undefined,
  branch: JsonValue,
  branches: readonly JsonValue[],
): JsonValue | undefined {
  const { propertyName, mapping } = isJsonObject(discriminator) ? discriminator : {}
  if (typeof propertyName !== 'string' || !isJsonObject(branch)) return undefined
  const mapped = isJsonObject(mapping) ? Object.entries(mapping) : []
  const name = toComponentName(branch['$ref'])
  const byName = mapped.find(([, target]) => name !== undefined && (target === branch['$ref'] || target === name))
  // A branch whose reference was put in place has lost its name; where there is one mapping for each, order tells.
  const byOrder = mapped.length === branches.length ? mapped[branches.indexOf(branch)] : undefined
  const value = byName?.[0] ?? (name === undefined ? byOrder?.[0] : name)
  return value === undefined ? undefined : { properties: { [propertyName]: { const: value } } }
}

/** What a schema without a type is about. */
function guessTypes(facts: Facts): readonly string[] {
  const has = (...keywords: string[]): boolean => keywords.some((keyword) => facts[keyword] !== undefined)
  if (has('properties', 'required', 'additionalProperties', 'patternProperties', 'minProperties', 'propertyNames'))
    return ['object']
  if (has('items', 'prefixItems', 'minItems', 'maxItems', 'contains', 'uniqueItems')) return ['array']
  if (has('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf')) return ['number']
  return ['string', 'object', 'array', 'number', 'boolean']
}

const COSTS = ['boolean', 'integer', 'number', 'string', 'array', 'object']

function byCost(one: string, other: string): number {
  return COSTS.indexOf(one) - COSTS.indexOf(other)
}

function rotate<Item>(items: readonly Item[], random: Random): Item[] {
  const start = random.whole(0, items.length - 1)
  return [...items.slice(start), ...items.slice(0, start)]
}
