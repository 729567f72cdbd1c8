/**
 * Schemas of OpenAPI 3.1 (JSON Schema 2020-12) as they hold for requests: without what only describes, and without
 * asking for properties that are read-only (OpenAPI 3.1 §4.8.24: their `required` holds for answers). The walk sees every
 * keyword, so it also says what a validator would ignore or stumble over. Documents of 3.0 come upgraded.
 */
import type { JsonObject, JsonValue } from '../../kernel/json.ts'
import { compilePattern } from '../../kernel/linear-pattern.ts'
import { PatternError } from '../../kernel/pattern-error.ts'
import { isList, isObject, toStep } from './json-shape.ts'

/** Reports what is wrong at a JSON pointer of the operation. */
export type Report = (pointer: string, message: string) => void

/** For what was checked before, so that compiling all patterns is spared. */
const ignore: Report = () => undefined

export interface SchemaOptions {
  readonly readOnlyProperties: 'allow' | 'refuse'
  readonly unknownKeywords: 'refuse' | 'ignore'
}

const inPlace = ['if', 'then', 'else', 'not']
const inPlaceLists = ['allOf', 'anyOf', 'oneOf']
const below = [
  'additionalProperties',
  'contains',
  'items',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
]
const belowMaps = ['properties', 'patternProperties']
const schemas = new Set([...inPlace, ...below])
const schemaLists = new Set([...inPlaceLists, 'prefixItems'])
const schemaMaps = new Set([...belowMaps, 'dependentSchemas'])
const assertions = new Set(
  `type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems
  minItems uniqueItems maxContains minContains maxProperties minProperties required dependentRequired format`.split(
    /\s+/,
  ),
)
/** Says nothing about requests, or has been followed when references were resolved. */
const annotations = new Set(
  `title description default deprecated readOnly writeOnly examples example contentMediaType contentEncoding
  contentSchema discriminator xml externalDocs $comment $schema $id $anchor $defs definitions`.split(/\s+/),
)

export class RequestSchemas {
  private readonly components: JsonObject
  private readonly options: SchemaOptions
  private readonly report: Report
  /** Names that references led to, in the order in which they were met. */
  private readonly referred = new Set<string>()

  /** `components` are the schemas that references may still lead to. */
  constructor(components: JsonObject, options: SchemaOptions, report: Report = ignore) {
    this.components = components
    this.options = options
    this.report = report
  }

  /** The schemas that references of converted ones lead to, as they hold for requests; `known` are left out. */
  toComponents(known: ReadonlySet<string> = new Set()): JsonObject {
    const converted: Record<string, JsonValue> = {}
    // Converting one may lead to others, which the walk then meets too.
    for (const name of this.referred) {
      if (known.has(name)) continue
      const at = `/components/schemas/${toStep(name)}`
      if (this.leadsTo(name, name, new Set())) this.report(at, 'refers to itself without end')
      Object.defineProperty(converted, name, { value: this.convert(this.components[name], at), enumerable: true })
    }
    return converted
  }

  /** The schema as it holds for requests; `pointer` is where it stands in the operation. */
  convert(schema: JsonValue | undefined, pointer: string, readOnly: ReadonlySet<string> = new Set()): JsonValue {
    if (schema === undefined || typeof schema === 'boolean') return schema ?? true
    if (!isObject(schema)) {
      this.report(pointer, 'is no schema: it must be an object or a boolean')
      return true
    }
    const hidden = new Set([...readOnly, ...this.readOnlyNames(schema)])
    const entries = Object.entries(schema).map(([keyword, value]) => {
      return [keyword, this.convertKeyword(keyword, value, `${pointer}/${toStep(keyword)}`, hidden)] as const
    })
    return Object.fromEntries(entries.filter((entry): entry is [string, JsonValue] => entry[1] !== undefined))
  }

  private convertKeyword(
    keyword: string,
    value: JsonValue,
    at: string,
    hidden: ReadonlySet<string>,
  ): JsonValue | undefined {
    if (schemas.has(keyword)) return this.convert(value, at, inPlace.includes(keyword) ? hidden : undefined)
    if (schemaLists.has(keyword) && isList(value)) {
      const inherited = inPlaceLists.includes(keyword) ? hidden : undefined
      return value.map((each, index) => this.convert(each, `${at}/${index}`, inherited))
    }
    if (schemaMaps.has(keyword) && isObject(value)) return this.convertMap(keyword, value, at, hidden)
    if (keyword === 'required' && isList(value))
      return value.filter((name) => typeof name !== 'string' || !hidden.has(name))
    if (keyword === '$ref') return this.checkReference(value, at)
    if (keyword === 'pattern') this.checkPattern(value, at)
    if (keyword === 'enum' && isList(value) && value.length === 0) this.report(at, 'allows no value at all')
    if (assertions.has(keyword) || schemaLists.has(keyword) || schemaMaps.has(keyword)) return value
    if (!annotations.has(keyword) && !keyword.startsWith('x-') && this.options.unknownKeywords === 'refuse')
      this.report(at, 'is no keyword of JSON Schema 2020-12 or OpenAPI 3.1, so it would be ignored')
    return undefined
  }

  private convertMap(keyword: string, value: JsonObject, at: string, hidden: ReadonlySet<string>): JsonObject {
    return mapEntries(value, (schema, name) => {
      if (keyword === 'patternProperties') this.checkPattern(name, `${at}/${toStep(name)}`)
      const isRefused = keyword === 'properties' && hidden.has(name) && this.options.readOnlyProperties === 'refuse'
      return isRefused
        ? false
        : this.convert(schema, `${at}/${toStep(name)}`, keyword === 'dependentSchemas' ? hidden : undefined)
    })
  }

  private checkReference(value: JsonValue, at: string): JsonValue | undefined {
    const name = toReferredName(value)
    if (name !== undefined && Object.hasOwn(this.components, name)) {
      this.referred.add(name)
      return value
    }
    this.report(at, 'leads to no schema of the document')
    return undefined
  }

  /** Whether applying a schema means applying another one to the same value; no validator could end if that is itself. */
  private leadsTo(from: string, wanted: string, seen: Set<string>): boolean {
    if (seen.has(from)) return false
    seen.add(from)
    const next = referencesInPlace(this.components[from])
    return next.some((name) => name === wanted || this.leadsTo(name, wanted, seen))
  }

  private checkPattern(pattern: JsonValue, at: string): void {
    if (typeof pattern !== 'string' || this.report === ignore) return
    try {
      compilePattern(pattern, 'ecma')
    } catch (error) {
      if (!(error instanceof PatternError)) throw error
      this.report(at, `cannot be used: ${error.message}`)
    }
  }

  /** Properties that are read-only by themselves, through a reference or in a part of `allOf`. */
  private readOnlyNames(schema: JsonObject): string[] {
    const { properties, allOf } = schema
    const own = isObject(properties) ? Object.entries(properties).filter(([, each]) => this.isReadOnly(each)) : []
    const parts = isList(allOf) ? allOf : []
    return [...own.map(([name]) => name), ...parts.filter(isObject).flatMap((part) => this.readOnlyNames(part))]
  }

  private isReadOnly(schema: JsonValue): boolean {
    if (!isObject(schema)) return false
    if (schema['readOnly'] === true) return true
    const { allOf } = schema
    if (isList(allOf)) return allOf.some((each) => this.isReadOnly(each))
    const name = toReferredName(schema['$ref'])
    const target = name === undefined ? undefined : this.components[name]
    return isObject(target) && target['readOnly'] === true
  }
}

/** The component that a reference leads to, by its name. */
export function toReferredName(reference: JsonValue | undefined): string | undefined {
  return typeof reference === 'string' ? /^#\/components\/schemas\/([^/]+)$/.exec(reference)?.[1] : undefined
}

function referencesInPlace(schema: JsonValue | undefined): string[] {
  if (!isObject(schema)) return []
  const name = toReferredName(schema['$ref'])
  const lists = inPlaceLists.flatMap((keyword) => schema[keyword] ?? [])
  const parts = [...inPlace.map((keyword) => schema[keyword]), ...lists]
  return [...(name === undefined ? [] : [name]), ...parts.flatMap(referencesInPlace)]
}

function mapEntries(value: JsonObject, convert: (each: JsonValue, name: string) => JsonValue): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, convert(each, name)]))
}
