import { isJsonList, isJsonObject, type JsonValue } from '../../../kernel/json.ts'
import type { SchemaReader } from './flat-schema.ts'
import { propertySchema, toTypes } from './merge-schemas.ts'

const MAX_DEPTH = 12
const MAX_STEPS = 5_000

/**
 * How deep the shallowest value of a schema is: what tells the way out of schemas that refer to themselves. Those beyond
 * some depth count as endless.
 */
export class SchemaHeights {
  private readonly reader: SchemaReader
  private readonly known = new Map<JsonValue, number>()
  private steps = 0

  constructor(reader: SchemaReader) {
    this.reader = reader
  }

  of(schema: JsonValue, depth = 0): number {
    if (!isJsonObject(schema)) return schema === false ? Infinity : 0
    const known = this.known.get(schema)
    if (known !== undefined) return known
    if (depth > MAX_DEPTH || ++this.steps > MAX_STEPS) return Infinity
    const height = this.measure(schema, depth)
    // What seemed endless from here may have an end when looked at from nearer.
    if (height !== Infinity || depth === 0) this.known.set(schema, height)
    return height
  }

  private measure(schema: JsonValue, depth: number): number {
    const flat = this.reader.flatten(schema)
    if (flat === undefined) return Infinity
    const { facts, choices } = flat
    const chosen = choices.map(({ branches }) => Math.min(...branches.map((branch) => this.of(branch, depth + 1))))
    return Math.max(0, this.ofFacts(facts, depth), ...chosen)
  }

  private ofFacts(facts: Readonly<Record<string, JsonValue>>, depth: number): number {
    const { type, required, minItems, items, enum: values } = facts
    const types = toTypes(type) ?? ['object', 'array']
    const isScalar = types.some((each) => each !== 'object' && each !== 'array')
    if (isScalar || values !== undefined) return 0
    const names = isJsonList(required) ? required.filter((name) => typeof name === 'string') : []
    const ofProperties = names.map((name) => 1 + this.of(propertySchema(facts, name), depth + 1))
    const ofItems = typeof minItems === 'number' && minItems > 0 ? [1 + this.of(items ?? true, depth + 1)] : []
    const heights = [
      ...(types.includes('object') ? [Math.max(0, ...ofProperties)] : []),
      ...(types.includes('array') ? [Math.max(0, ...ofItems)] : []),
    ]
    return Math.min(...heights)
  }
}
