/**
 * Tells whether a value fulfils a schema (JSON Schema 2020-12) as an answer has to: what may only be sent (`writeOnly`) is
 * never required. It reads the schema as it stands, because most are asked about once; a budget of steps bounds it.
 */
import { isDeepStrictEqual } from 'node:util'
import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/json.ts'
import { hasFormat } from './formats.ts'
import type { SchemaReader } from './flat-schema.ts'
import { matchesPattern } from './generate-pattern.ts'
import { toTypes } from './merge-schemas.ts'

const MAX_DEPTH = 200
/** Some tens of milliseconds; a value that takes longer counts as right, since nobody waits for the rest. */
const MAX_STEPS = 200_000

export class SchemaMatcher {
  private readonly reader: SchemaReader
  private steps = 0

  constructor(reader: SchemaReader) {
    this.reader = reader
  }

  get isExhausted(): boolean {
    return this.steps > MAX_STEPS
  }

  matches(schema: JsonValue | undefined, value: JsonValue, depth = 0): boolean {
    this.steps++
    if (!isJsonObject(schema)) return schema !== false
    if (depth > MAX_DEPTH || this.isExhausted) return true
    return (
      this.matchesOwn(schema, value) &&
      this.matchesInPlace(schema, value, depth + 1) &&
      (isJsonList(value)
        ? this.matchesList(schema, value, depth + 1)
        : !isJsonObject(value) || this.matchesObject(schema, value, depth + 1))
    )
  }

  private matchesOwn(schema: JsonObject, value: JsonValue): boolean {
    const { type, enum: values, const: only } = schema
    const types = toTypes(type)
    if (types !== undefined && !types.some((each) => isOfType(value, each))) return false
    if (isJsonList(values) && !values.some((each) => isDeepStrictEqual(each, value))) return false
    if (only !== undefined && !isDeepStrictEqual(only, value)) return false
    if (typeof value === 'number') return matchesNumber(schema, value)
    return typeof value !== 'string' || matchesText(schema, value)
  }

  /** What applies further schemas to the same value. */
  private matchesInPlace(schema: JsonObject, value: JsonValue, depth: number): boolean {
    const { $ref, allOf, anyOf, oneOf, not, if: condition } = schema
    const fits = (part: JsonValue | undefined): boolean => this.matches(part, value, depth)
    if ($ref !== undefined && !fits(this.reader.follow($ref))) return false
    if (isJsonList(allOf) && !allOf.every(fits)) return false
    if (isJsonList(anyOf) && anyOf.length > 0 && !anyOf.some(fits)) return false
    if (isJsonList(oneOf) && oneOf.length > 0 && oneOf.filter(fits).length !== 1) return false
    if (not !== undefined && fits(not)) return false
    return condition === undefined || fits(fits(condition) ? schema['then'] : schema['else'])
  }

  private matchesList(schema: JsonObject, list: readonly JsonValue[], depth: number): boolean {
    const { items, prefixItems, contains, uniqueItems } = schema
    if (!isWithin(list.length, schema['minItems'], schema['maxItems'])) return false
    const prefix = isJsonList(prefixItems) ? prefixItems : []
    if (!list.every((item, index) => this.matches(prefix[index] ?? items, item, depth))) return false
    if (contains !== undefined) {
      const count = list.filter((item) => this.matches(contains, item, depth)).length
      if (!isWithin(count, schema['minContains'] ?? 1, schema['maxContains'])) return false
    }
    return uniqueItems !== true || !hasTwins(list)
  }

  private matchesObject(schema: JsonObject, object: JsonObject, depth: number): boolean {
    const { properties, patternProperties, additionalProperties, propertyNames } = schema
    const names = Object.keys(object)
    if (!isWithin(names.length, schema['minProperties'], schema['maxProperties'])) return false
    if (!this.hasRequired(schema, object)) return false
    const own = isJsonObject(properties) ? properties : {}
    const patterns = isJsonObject(patternProperties) ? Object.entries(patternProperties) : []
    const { dependentSchemas } = schema
    return names.every((name) => {
      const value = object[name] ?? null
      const matching = patterns.filter(([pattern]) => matchesPattern(pattern, name) === true)
      const isKnown = Object.hasOwn(own, name) || matching.length > 0
      const dependent = isJsonObject(dependentSchemas) ? dependentSchemas[name] : undefined
      return (
        (!Object.hasOwn(own, name) || this.matches(own[name], value, depth)) &&
        matching.every(([, part]) => this.matches(part, value, depth)) &&
        (isKnown || this.matches(additionalProperties, value, depth)) &&
        this.matches(propertyNames, name, depth) &&
        this.matches(dependent, object, depth)
      )
    })
  }

  private hasRequired({ required, properties, dependentRequired }: JsonObject, object: JsonObject): boolean {
    const own = isJsonObject(properties) ? properties : {}
    const dependent = isJsonObject(dependentRequired) ? Object.entries(dependentRequired) : []
    const wanted = dependent.filter(([name]) => Object.hasOwn(object, name)).flatMap(([, names]) => names)
    return [...(isJsonList(required) ? required : []), ...wanted].every(
      (name) => typeof name !== 'string' || Object.hasOwn(object, name) || this.isWriteOnly(own[name]),
    )
  }

  /** Whether a property may be sent and never comes back. */
  isWriteOnly(schema: JsonValue | undefined): boolean {
    return schema !== undefined && this.reader.flatten(schema)?.facts['writeOnly'] === true
  }
}

function isOfType(value: JsonValue, type: string): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return isJsonList(value)
  if (type === 'object') return isJsonObject(value)
  return type === 'integer' ? Number.isInteger(value) : typeof value === type
}

function matchesNumber(schema: JsonObject, value: number): boolean {
  const { exclusiveMinimum: above, exclusiveMaximum: below, multipleOf, format } = schema
  if (!isWithin(value, schema['minimum'], schema['maximum'])) return false
  if ((typeof above === 'number' && value <= above) || (typeof below === 'number' && value >= below)) return false
  if (typeof multipleOf === 'number' && multipleOf > 0 && !isMultiple(value, multipleOf)) return false
  return typeof format !== 'string' || hasFormat(format, value)
}

function matchesText(schema: JsonObject, text: string): boolean {
  const { minLength, maxLength, pattern, format } = schema
  if ((minLength !== undefined || maxLength !== undefined) && !isWithin(Array.from(text).length, minLength, maxLength))
    return false
  if (typeof pattern === 'string' && matchesPattern(pattern, text) === false) return false
  return typeof format !== 'string' || hasFormat(format, text)
}

/** Binary fractions miss by a little what decimal ones hit. */
export function isMultiple(value: number, of: number): boolean {
  const quotient = value / of
  return Math.abs(quotient - Math.round(quotient)) < 1e-6
}

function isWithin(count: number, least: JsonValue | undefined, most: JsonValue | undefined): boolean {
  return (typeof least !== 'number' || count >= least) && (typeof most !== 'number' || count <= most)
}

/** Lists of a mock are short. */
export function hasTwins(list: readonly JsonValue[]): boolean {
  return list.some((item, index) => list.slice(0, index).some((other) => isDeepStrictEqual(item, other)))
}
