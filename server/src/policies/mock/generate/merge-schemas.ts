/**
 * Two schemas that hold for one value, put together keyword by keyword. What cannot be put together is left to the check
 * that follows every generated value; what cannot hold at all (two different types, say) gives undefined.
 */
import { isDeepStrictEqual } from 'node:util'
import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts'
import { matchesPattern } from './generate-pattern.ts'

/**
 * A schema without references, `const`, and keywords that apply further schemas to the same value; of `pattern` it may have
 * several.
 */
export type Facts = JsonObject

type Combine = (one: JsonValue, other: JsonValue) => JsonValue | undefined

/** What both schemas accept. */
export function both(one: JsonValue, other: JsonValue): JsonValue {
  if (one === false || other === false) return false
  if (one === true || one === other) return other
  return other === true ? one : { allOf: [one, other] }
}

export function mergeFacts(a: Facts, b: Facts): Facts | undefined {
  const merged: Record<string, JsonValue> = { ...b, ...a }
  for (const [keyword, combine] of Object.entries(combiners)) {
    const [ofA, ofB] = [a[keyword], b[keyword]]
    if (ofA === undefined || ofB === undefined) continue
    const combined = combine(ofA, ofB)
    if (combined === undefined) return undefined
    merged[keyword] = combined
  }
  const properties = mergeProperties(a, b)
  return properties === undefined ? merged : { ...merged, properties }
}

/** All that a schema says of a property with that name. */
export function propertySchema(facts: Facts, name: string): JsonValue {
  const { properties, patternProperties, additionalProperties } = facts
  const own = isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined
  const patterns = isJsonObject(patternProperties) ? Object.entries(patternProperties) : []
  const matching = patterns.filter(([pattern]) => matchesPattern(pattern, name) === true).map(([, schema]) => schema)
  const all = own === undefined ? matching : [own, ...matching]
  return all.length === 0 ? (additionalProperties ?? true) : all.reduce((schema, next) => both(schema, next), true)
}

export function toTypes(type: JsonValue | undefined): readonly string[] | undefined {
  if (typeof type === 'string') return [type]
  return isJsonList(type) ? type.filter((each) => typeof each === 'string') : undefined
}

function mergeProperties(a: Facts, b: Facts): JsonObject | undefined {
  const names = [a, b].flatMap(({ properties }) => (isJsonObject(properties) ? Object.keys(properties) : []))
  if (names.length === 0) return undefined
  return Object.fromEntries(names.map((name) => [name, both(propertySchema(a, name), propertySchema(b, name))]))
}

const most: Combine = (one, other) => (Number(one) > Number(other) ? one : other)
const least: Combine = (one, other) => (Number(one) < Number(other) ? one : other)

const union: Combine = (one, other) => [...new Set([...toList(one), ...toList(other)])]

const mapsOf =
  (combine: Combine): Combine =>
  (one, other) => {
    if (!isJsonObject(one) || !isJsonObject(other)) return one
    const merged: Record<string, JsonValue> = { ...one }
    for (const [key, value] of Object.entries(other)) merged[key] = combine(one[key] ?? value, value) ?? value
    return merged
  }

function mergeTypes(one: JsonValue, other: JsonValue): JsonValue | undefined {
  const [a, b] = [toTypes(one) ?? [], toTypes(other) ?? []]
  const holds = (types: readonly string[], type: string): boolean =>
    types.includes(type) || (type === 'integer' && types.includes('number'))
  const common = [...a.filter((type) => holds(b, type)), ...b.filter((type) => holds(a, type))]
  return common.length === 0 ? undefined : [...new Set(common)]
}

function mergeEnums(one: JsonValue, other: JsonValue): JsonValue | undefined {
  const common = toList(one).filter((value) => toList(other).some((each) => isDeepStrictEqual(value, each)))
  return common.length === 0 ? undefined : common
}

/** The product is a multiple of both, if not always the least; whole numbers get the least. */
function mergeMultiples(one: JsonValue, other: JsonValue): JsonValue {
  const [a, b] = [Number(one), Number(other)]
  if (Number.isInteger(a / b)) return a
  if (Number.isInteger(b / a)) return b
  const divisor = (x: number, y: number): number => (y === 0 ? x : divisor(y, x % y))
  return Number.isInteger(a) && Number.isInteger(b) ? (a * b) / divisor(a, b) : a * b
}

function mergePrefixes(one: JsonValue, other: JsonValue): JsonValue {
  const [a, b] = [toList(one), toList(other)]
  const [longer, shorter] = a.length >= b.length ? [a, b] : [b, a]
  return longer.map((schema, index) => both(schema, shorter[index] ?? true))
}

const combiners: Readonly<Record<string, Combine>> = {
  type: mergeTypes,
  enum: mergeEnums,
  minimum: most,
  exclusiveMinimum: most,
  maximum: least,
  exclusiveMaximum: least,
  multipleOf: mergeMultiples,
  minLength: most,
  maxLength: least,
  minItems: most,
  maxItems: least,
  minContains: most,
  maxContains: least,
  minProperties: most,
  maxProperties: least,
  uniqueItems: (one, other) => one === true || other === true,
  required: union,
  pattern: union,
  dependentRequired: mapsOf(union),
  patternProperties: mapsOf(both),
  dependentSchemas: mapsOf(both),
  additionalProperties: both,
  items: both,
  prefixItems: mergePrefixes,
  propertyNames: both,
  contains: both,
  not: (one, other) => ({ anyOf: [one, other] }),
  writeOnly: (one, other) => one === true || other === true,
}

function toList(value: JsonValue): readonly JsonValue[] {
  return isJsonList(value) ? value : [value]
}
