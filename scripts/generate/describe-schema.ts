// A JSON Schema as rows of a table for people: one row per key, nested keys with dots, items of lists with `[]`.

/** The part of JSON Schema that zod writes for a configuration, with our own `unit` and `secret` beside it. */
export interface Schema {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly format?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly propertyNames?: Schema
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly unit?: string
  readonly secret?: boolean
}

export interface Row {
  readonly key: string
  readonly type: string
  readonly fallback: string
  readonly meaning: string
}

/** A bound that zod adds to every integer says nothing to a reader. */
function isTelling(bound: number | undefined): bound is number {
  return bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER
}

function describeBounds(low: number | undefined, high: number | undefined): string {
  if (isTelling(low) && isTelling(high)) return ` ${low}–${high}`
  if (isTelling(low)) return ` ≥ ${low}`
  return isTelling(high) ? ` ≤ ${high}` : ''
}

function literal(value: unknown): string {
  return `\`${JSON.stringify(value)}\``
}

/** An object whose keys have defaults of their own has `{}` as its default, which says nothing. */
function describeDefault(value: unknown): string {
  return value === undefined || JSON.stringify(value) === '{}' ? '–' : literal(value)
}

export function describeType(schema: Schema): string {
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum) return schema.enum.map(literal).join(', ')
  const variants = schema.anyOf ?? schema.oneOf
  if (variants) return [...new Set(variants.map(describeType))].join(' or ')
  if (schema.type === 'array') {
    return `list of ${describeType(schema.items ?? {})}${describeBounds(schema.minItems, schema.maxItems).replace(' ', ', ')}`
  }
  if (schema.type === 'object' && schema.properties) return 'object'
  if (schema.type === 'object')
    return `map of ${describeType(typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {})}`
  if (schema.exclusiveMinimum !== undefined) return `${schema.type} > ${schema.exclusiveMinimum}`
  if (schema.type === 'integer' || schema.type === 'number') {
    return schema.type + describeBounds(schema.minimum, schema.maximum)
  }
  return schema.type ?? (schema.$ref?.split('/').at(-1) || 'anything')
}

function describeMeaning(schema: Schema): string {
  const unit = schema.unit ? ` In ${schema.unit}.` : ''
  const secret = schema.secret ? ' Secret: give it as a reference.' : ''
  return `${schema.description ?? schema.title ?? ''}${unit}${secret}`.trim()
}

/** The object behind a list or an alternative of objects, when there is exactly one to describe. */
function objectsWithin(schema: Schema): { suffix: string; schema: Schema }[] {
  if (schema.properties) return [{ suffix: '', schema }]
  if (schema.items)
    return objectsWithin(schema.items).map((inner) => ({ suffix: `[]${inner.suffix}`, schema: inner.schema }))
  return (schema.anyOf ?? schema.oneOf ?? []).flatMap(objectsWithin)
}

export function describeKeys(schema: Schema, prefix = ''): Row[] {
  const rows = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${prefix}${name}`
    const required = schema.required?.includes(name) && property.default === undefined
    const fallback = required ? '**required**' : describeDefault(property.default)
    const row = { key, type: describeType(property), fallback, meaning: describeMeaning(property) }
    const nested = objectsWithin(property).flatMap((inner) => describeKeys(inner.schema, `${key}${inner.suffix}.`))
    return [row, ...nested]
  })
  // Alternatives may share keys; each key is described once.
  return rows.filter(
    (row, index) => rows.findIndex((other) => other.key === row.key && other.type === row.type) === index,
  )
}

export function toMarkdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}
