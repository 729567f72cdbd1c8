/** What an OpenAPI operation (3.1 §4.8.10) says of its requests, read once per route. */
import type { JsonObject, JsonValue } from '../../kernel/json.ts'
import { isList, isObject, toStep } from './json-shape.ts'
import { isJsonType, toEssence } from './media-type.ts'
import { RequestSchemas, type Report, type SchemaOptions } from './request-schema.ts'

/** Styles by place, the first being the default (OpenAPI 3.1 §4.8.12.2). */
const styles = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
} as const

type Place = keyof typeof styles
export type Style = (typeof styles)[Place][number]

export interface Parameter {
  readonly name: string
  readonly place: Place
  readonly required: boolean
  readonly style: Style
  readonly explode: boolean
  readonly allowsEmpty: boolean
  /** The value is JSON text: the parameter has a `content` and no `schema`. */
  readonly isJson: boolean
  readonly schema: JsonValue
  /** Where the schema stands in the operation. */
  readonly pointer: string
}

export interface BodyType {
  /** A media type or a range such as `image/*`, without parameters, in lower case. */
  readonly range: string
  /** Undefined for what is never JSON, which passes unread. */
  readonly schema: JsonValue | undefined
  readonly pointer: string
}

export interface Operation {
  readonly parameters: readonly Parameter[]
  /** Undefined when the operation describes none. */
  readonly body: { readonly required: boolean; readonly types: readonly BodyType[] } | undefined
  /** What references in the schemas lead to, by name. */
  readonly schemas: JsonObject
}

/** Header fields that OpenAPI leaves to other parts of a document (3.1 §4.8.12.1). */
const ignoredHeaders = new Set(['accept', 'content-type', 'authorization'])

/** `known` are names of shared schemas that are not wanted again. */
export function readOperation(
  operation: JsonObject,
  options: SchemaOptions,
  report?: Report,
  known?: ReadonlySet<string>,
): Operation {
  const { components, parameters, requestBody } = operation
  const given = isObject(components) && isObject(components['schemas']) ? components['schemas'] : {}
  const reader = new OperationReader(new RequestSchemas(given, options, report), report ?? (() => undefined))
  const read = (isList(parameters) ? parameters : []).map((each, at) => reader.readParameter(each, `/parameters/${at}`))
  return {
    parameters: read.filter((each) => each !== undefined),
    body: isObject(requestBody) ? reader.readBody(requestBody) : undefined,
    schemas: reader.schemas.toComponents(known),
  }
}

class OperationReader {
  readonly schemas: RequestSchemas
  private readonly report: Report

  constructor(schemas: RequestSchemas, report: Report) {
    this.schemas = schemas
    this.report = report
  }

  readParameter(parameter: JsonValue, at: string): Parameter | undefined {
    const { name, in: place, style, explode, required, allowEmptyValue } = isObject(parameter) ? parameter : {}
    if (typeof name !== 'string' || !isPlace(place)) {
      this.report(at, 'is no parameter: it needs a `name` and an `in` that is path, query, header or cookie')
      return undefined
    }
    if (place === 'header' && ignoredHeaders.has(name.toLowerCase())) return undefined
    const usedStyle = styles[place].find((each) => each === style) ?? styles[place][0]
    if (style !== undefined && style !== usedStyle)
      this.report(`${at}/style`, `cannot be used in the ${place}; known there: ${styles[place].join(', ')}`)
    return {
      name,
      place,
      required: required === true || place === 'path',
      style: usedStyle,
      explode: typeof explode === 'boolean' ? explode : usedStyle === 'form',
      allowsEmpty: allowEmptyValue === true,
      ...this.readValue(isObject(parameter) ? parameter : {}, at),
    }
  }

  readBody(body: JsonObject): Operation['body'] {
    const content = isObject(body['content']) ? body['content'] : {}
    const types = Object.entries(content).map(([key, value]) => {
      const range = toEssence(key)
      const pointer = `/requestBody/content/${toStep(key)}/schema`
      const mayBeJson = isJsonType(range) || range === 'application/*' || range === '*/*'
      const schema = mayBeJson && isObject(value) ? this.schemas.convert(value['schema'], pointer) : undefined
      return { range, schema, pointer }
    })
    return { required: body['required'] === true, types }
  }

  private readValue({ schema, content }: JsonObject, at: string): Pick<Parameter, 'isJson' | 'schema' | 'pointer'> {
    const own = `${at}/schema`
    if (schema !== undefined) return { isJson: false, schema: this.schemas.convert(schema, own), pointer: own }
    const [[type, value] = ['', undefined]] = isObject(content) ? Object.entries(content) : []
    if (!isJsonType(toEssence(type)) || !isObject(value)) return { isJson: false, schema: true, pointer: own }
    const pointer = `${at}/content/${toStep(type)}/schema`
    return { isJson: true, schema: this.schemas.convert(value['schema'], pointer), pointer }
  }
}

function isPlace(place: JsonValue | undefined): place is Place {
  return typeof place === 'string' && Object.hasOwn(styles, place)
}
