/** What a schema says of the types of values: needed to read parameters, which are all text when they come. */
import type { JsonObject, JsonValue } from '../../kernel/json.ts'
import { isList, isObject } from './json-shape.ts'
import { toReferredName } from './request-schema.ts'

export interface Shape {
  readonly types: ReadonlySet<string>
  /** How a parameter of the schema is written: as one text, as several, or as names with texts. */
  readonly form: 'text' | 'list' | 'record'
  readonly propertyNames: readonly string[]
  property(name: string): Shape
  items(): Shape
}

/** Parts of a schema that are looked at for its shape; a bound for those that refer to each other. */
const MAX_PARTS = 100

const anything: Shape = {
  types: new Set(),
  form: 'text',
  propertyNames: [],
  property: () => anything,
  items: () => anything,
}

export function readShape(schema: JsonValue | undefined, schemas: JsonObject): Shape {
  const parts = collectParts(schema, schemas)
  if (parts.length === 0) return anything
  const types = new Set(parts.flatMap(typesOf))
  const properties = parts.flatMap((part) => (isObject(part['properties']) ? [part['properties']] : []))
  const others = parts.map((part) => part['additionalProperties']).find(isObject)
  const shapes = new Map<string, Shape>()
  const remember = (key: string, found: JsonValue | undefined): Shape => {
    const shape = shapes.get(key) ?? readShape(found, schemas)
    shapes.set(key, shape)
    return shape
  }
  return {
    types,
    form: types.has('array') ? 'list' : types.has('object') ? 'record' : 'text',
    propertyNames: properties.flatMap((each) => Object.keys(each)),
    property: (name) => {
      const owner = properties.find((each) => Object.hasOwn(each, name))
      return owner === undefined ? remember('additional', others) : remember(`property ${name}`, owner[name])
    },
    items: () => remember('items', parts.map((part) => part['items']).find(isObject)),
  }
}

/** The schema and all that is applied to the same value with it. */
function collectParts(schema: JsonValue | undefined, schemas: JsonObject): JsonObject[] {
  const parts: JsonObject[] = []
  const waiting = [schema]
  for (let next = waiting.pop(); waiting.length > 0 || next !== undefined; next = waiting.pop()) {
    if (!isObject(next) || parts.length >= MAX_PARTS) continue
    parts.push(next)
    const name = toReferredName(next['$ref'])
    if (name !== undefined) waiting.push(schemas[name])
    for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
      const list = next[keyword]
      if (isList(list)) waiting.push(...list)
    }
  }
  return parts
}

function typesOf(schema: JsonObject): string[] {
  const { type, enum: values, const: value } = schema
  if (typeof type === 'string') return [type]
  if (isList(type)) return type.filter((each) => typeof each === 'string')
  if (isList(values)) return values.map(typeOf)
  if (value !== undefined) return [typeOf(value)]
  if (schema['properties'] !== undefined) return ['object']
  return schema['items'] === undefined && schema['prefixItems'] === undefined ? [] : ['array']
}

function typeOf(value: JsonValue): string {
  if (value === null) return 'null'
  return isList(value) ? 'array' : typeof value
}
