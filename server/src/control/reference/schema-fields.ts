/** The fields of a JSON Schema as rows that people can read: the admin API describes itself in no other words. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'

export interface SchemaField {
  /** Such as `settings.policies[].kind`. */
  readonly path: string
  readonly type: string
  readonly isRequired: boolean
  readonly description: string
}

/** Deeper than this a reader is better served by the document itself. */
const MOST_DEPTH = 5
const MOST_FIELDS = 200

export function listFields(schema: JsonObject): SchemaField[] {
  return fieldsBelow(schema, '', 0).slice(0, MOST_FIELDS)
}

function fieldsBelow(schema: JsonObject, path: string, depth: number): SchemaField[] {
  if (depth > MOST_DEPTH) return []
  const { items, properties, required } = schema
  if (isJsonObject(items)) return fieldsBelow(items, `${path}[]`, depth)
  if (!isJsonObject(properties)) return []
  const must = Array.isArray(required) ? required : []
  return Object.entries(properties).flatMap(([key, value]) => {
    if (!isJsonObject(value)) return []
    const at = path === '' ? key : `${path}.${key}`
    const field = { path: at, type: typeOf(value), isRequired: must.includes(key), description: describe(value) }
    return [field, ...fieldsBelow(value, at, depth + 1)]
  })
}

/** In a word or two: `string`, `list of object`, `one of "a", "b"`. */
export function typeOf(schema: JsonObject): string {
  const { type, items, enum: choices, const: only, anyOf, oneOf, format } = schema
  if (only !== undefined) return JSON.stringify(only)
  if (Array.isArray(choices)) return `one of ${choices.map((choice: JsonValue) => JSON.stringify(choice)).join(', ')}`
  const either = Array.isArray(anyOf) ? anyOf : oneOf
  if (Array.isArray(either)) return [...new Set(either.filter(isJsonObject).map(typeOf))].join(' or ')
  if (type === 'array') return `list of ${isJsonObject(items) ? typeOf(items) : 'anything'}`
  if (typeof type !== 'string') return 'anything'
  return typeof format === 'string' ? `${type} (${format})` : type
}

function describe({ description, default: byDefault }: JsonObject): string {
  const words = typeof description === 'string' ? description : ''
  const isTold = byDefault === undefined || byDefault === '' || typeof byDefault === 'object'
  return isTold ? words : `${words} Default: ${JSON.stringify(byDefault)}.`.trim()
}
