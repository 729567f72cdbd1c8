/** Parameters and headers of Swagger 2.0 in the terms of OpenAPI 3.0, and bodies made of parameters. */
import { isTree, omit, type Tree } from '../json-tree.ts'
import { toOwnSchema, toSchema, withoutSchemaKeys } from './to-schema.ts'

const FORM_TYPES = ['multipart/form-data', 'application/x-www-form-urlencoded']

/** How lists are written (OpenAPI 3.0 §4.7.12.1) for each `collectionFormat` in the query. */
const STYLES: Readonly<Record<string, Tree>> = {
  csv: { style: 'form', explode: false },
  ssv: { style: 'spaceDelimited', explode: false },
  pipes: { style: 'pipeDelimited', explode: false },
  multi: { style: 'form', explode: true },
}

/** A parameter of path, query or header. */
export function toParameter(parameter: Tree): Tree {
  const required = parameter['in'] === 'path' ? { required: true } : {}
  return { ...withoutSchemaKeys(parameter), ...required, ...toStyle(parameter), schema: toOwnSchema(parameter) }
}

export function toHeader(header: unknown): unknown {
  return isTree(header) ? { ...withoutSchemaKeys(header), schema: toOwnSchema(header) } : header
}

/** The body that a parameter `in: body` describes. */
export function toBody(parameter: Tree, consumes: readonly string[]): Tree {
  const types = consumes.length === 0 ? ['application/json'] : consumes
  const content = Object.fromEntries(types.map((type) => [type, { schema: toSchema(parameter['schema'] ?? {}) }]))
  return { ...omit(parameter, ['in', 'name', 'schema']), content }
}

/** The body that parameters `in: formData` make together. */
export function toForm(parameters: readonly Tree[], consumes: readonly string[]): Tree {
  const hasFile = parameters.some(({ type }) => type === 'file')
  const given = consumes.filter((type) => (hasFile ? type === FORM_TYPES[0] : FORM_TYPES.includes(type)))
  const types = given.length > 0 ? given : FORM_TYPES.slice(hasFile ? 0 : 1, hasFile ? 1 : 2)
  const named = parameters.flatMap((each) => (typeof each['name'] === 'string' ? [[each['name'], each] as const] : []))
  const required = named.filter(([, each]) => each['required'] === true).map(([name]) => name)
  const properties = named.map(([name, each]) => {
    const about = each['description'] === undefined ? {} : { description: each['description'] }
    return [name, { ...about, ...asTree(toOwnSchema(each)) }] as const
  })
  const encoding = named.flatMap(([name, each]) => (each['type'] === 'array' ? [[name, toStyle(each)] as const] : []))
  const schema = {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
  }
  const content = { schema, ...(encoding.length === 0 ? {} : { encoding: Object.fromEntries(encoding) }) }
  return {
    ...(required.length === 0 ? {} : { required: true }),
    content: Object.fromEntries(types.map((type) => [type, content])),
  }
}

/** Path and header know one style only, which is the default there. */
function toStyle({ type, in: place, collectionFormat }: Tree): Tree {
  if (type !== 'array' || (place !== 'query' && place !== 'formData')) return {}
  const format = typeof collectionFormat === 'string' ? collectionFormat : 'csv'
  return (Object.hasOwn(STYLES, format) ? STYLES[format] : undefined) ?? { style: 'form', explode: false }
}

function asTree(value: unknown): Tree {
  return isTree(value) ? value : {}
}
