/** Schemas of Swagger 2.0 in the terms of OpenAPI 3.0. Data that only looks like a schema stays as it is. */
import { isTree, mapValues, omit, pick, type Tree } from '../json-tree.ts'

/** Where the parts of a document of 2.0 stand in one of 3.0. */
const MOVED = [
  ['#/definitions/', '#/components/schemas/'],
  ['#/parameters/', '#/components/parameters/'],
  ['#/responses/', '#/components/responses/'],
] as const

/** Keywords that parameters and headers of 2.0 have themselves, and those of 3.0 in their schema. */
const SCHEMA_KEYS =
  `type format items enum default maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern
  maxItems minItems uniqueItems multipleOf x-nullable`.split(/\s+/)

export function toReference(reference: string): string {
  const moved = MOVED.find(([from]) => reference.startsWith(from))
  return moved === undefined ? reference : moved[1] + reference.slice(moved[0].length)
}

export function toSchema(schema: unknown): unknown {
  if (!isTree(schema)) return schema
  if (typeof schema['$ref'] === 'string') return { ...schema, $ref: toReference(schema['$ref']) }
  const converted = mapValues(schema, toKeyword)
  return toNullable(toFileText(converted))
}

/** The schema of a parameter or header, made from its own keys. */
export function toOwnSchema(owner: Tree): unknown {
  return toSchema(pick(owner, SCHEMA_KEYS))
}

/** A parameter or header without the keys that are in its schema now. */
export function withoutSchemaKeys(owner: Tree): Tree {
  return omit(owner, [...SCHEMA_KEYS, 'collectionFormat'])
}

function toKeyword(value: unknown, key: string): unknown {
  switch (key) {
    case 'properties':
    case 'patternProperties':
      return isTree(value) ? mapValues(value, toSchema) : value
    case 'items':
    case 'allOf':
    case 'anyOf':
    case 'oneOf':
      return Array.isArray(value) ? value.map(toSchema) : toSchema(value)
    case 'additionalProperties':
    case 'not':
      return toSchema(value)
    case 'discriminator':
      return typeof value === 'string' ? { propertyName: value } : value
    default:
      return value
  }
}

/** A file is text of any bytes; `collectionFormat` of items has no place in a schema. */
function toFileText(schema: Tree): Tree {
  const rest = omit(schema, ['collectionFormat'])
  return rest['type'] === 'file' ? { ...rest, type: 'string', format: 'binary' } : rest
}

/** Both ways in which authors of 2.0 said that null is allowed, which 2.0 itself has no word for. */
function toNullable(schema: Tree): Tree {
  const { 'x-nullable': nullable, type, ...rest } = schema
  const others = Array.isArray(type) ? type.filter((each) => each !== 'null') : []
  const isListed = Array.isArray(type) && others.length === 1 && type.length === 2
  const typed = type === undefined ? {} : { type: isListed ? others[0] : type }
  return nullable === true || isListed ? { ...typed, ...rest, nullable: true } : { ...typed, ...rest }
}
