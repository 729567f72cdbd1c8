/** Holds requests of one route against its operation: parameters and media type first, the body when it was read. */
import type { Exchange, ExchangeRequest } from '../../kernel/exchange.ts'
import type { JsonValue } from '../../kernel/json.ts'
import { toPlacedError, type InputError } from './input-error.ts'
import { parseJson, type JsonBounds, type JsonFlaw } from './json-text.ts'
import { toStep } from './json-shape.ts'
import { findRange, isJsonType, isReadableCharset, toEssence } from './media-type.ts'
import type { BodyType, Operation, Parameter } from './operation.ts'
import { readPlainParameter, readQueryParameter, toPairs, type Pairs, type Reading } from './parameter-styles.ts'
import { isAmbiguous, toValue, type Written } from './parameter-text.ts'
import type { SchemaCompiler, Validate } from './schema-compiler.ts'
import { readShape, type Shape } from './schema-shape.ts'

export interface RequestOptions extends JsonBounds {
  readonly unknownQueryParameters: 'allow' | 'refuse'
}

/** What is wrong with a body as a whole: its type, its text, or how much it holds. */
export type BodyFault =
  | { readonly unsupported: readonly string[] }
  | { readonly malformed: JsonFlaw }
  | { readonly excess: string }

interface Check {
  readonly parameter: Parameter
  readonly shape: Shape
  readonly validate: Validate
}

/** Bodies up to this size are told all their errors; of larger ones the first, since collecting costs as much as sending. */
const MAX_DETAILED_BYTES = 16_384

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class RequestValidator {
  private readonly operation: Operation
  private readonly compiler: SchemaCompiler
  private readonly options: RequestOptions
  private readonly checks: readonly Check[]
  private readonly bodies = new Map<BodyType, Validate>()

  constructor(operation: Operation, compiler: SchemaCompiler, options: RequestOptions) {
    this.operation = operation
    this.compiler = compiler
    this.options = options
    this.checks = operation.parameters.map((parameter) => ({
      parameter,
      shape: readShape(parameter.schema, operation.schemas),
      validate: compiler.compile(parameter.schema, operation.schemas),
    }))
  }

  /** Whether the body has to be read: it is JSON, and the operation says something about it. */
  wantsBody(request: ExchangeRequest): boolean {
    const type = request.fields.get('content-type') ?? ''
    return hasBody(request) && this.findBodyType(type)?.schema !== undefined && isJsonType(toEssence(type))
  }

  validateParameters({ request, route, parameters }: Exchange): InputError[] {
    const pairs = toPairs(request.query)
    const errors = this.checks.flatMap((check) => {
      const { name, place, required } = check.parameter
      const at = `/${place}/${toStep(name)}`
      const read = (): Reading => {
        if (place === 'query') return readQueryParameter(check.parameter, check.shape, pairs)
        const text =
          place === 'path' ? parameters[route?.parameterNames.indexOf(name) ?? -1] : readField(place, name, request)
        return text === undefined ? undefined : readPlainParameter(check.parameter, check.shape, text)
      }
      const reading = read()
      if (reading === undefined) return required ? [{ pointer: at, detail: 'is required' }] : []
      const found =
        'fault' in reading ? [{ pointer: '', detail: reading.fault }] : this.validateWritten(check, reading.written)
      return found.map((error) => toPlacedError(error, at))
    })
    return this.options.unknownQueryParameters === 'refuse' ? [...errors, ...this.findUnknown(pairs)] : errors
  }

  /** What is wrong with the body: as a whole, or by its schema. */
  validateBody(request: ExchangeRequest): BodyFault | InputError[] {
    const { body } = this.operation
    if (body === undefined) return []
    const { content } = request
    if (!hasBody(request) || content?.length === 0)
      return body.required ? [{ pointer: '/body', detail: 'is required' }] : []
    const mediaType = request.fields.get('content-type') ?? ''
    const type = this.findBodyType(mediaType)
    const isJson = isJsonType(toEssence(mediaType))
    if (type === undefined || (isJson && !isReadableCharset(mediaType)))
      return body.types.length === 0 ? [] : { unsupported: body.types.map(({ range }) => range) }
    if (!isJson || type.schema === undefined || content === undefined) return []
    return this.validateJson(type, type.schema, content)
  }

  private validateJson(type: BodyType, schema: JsonValue, content: Uint8Array): BodyFault | InputError[] {
    let text: string
    try {
      text = decoder.decode(content)
    } catch {
      return { malformed: { reason: 'it is not UTF-8', line: 1, column: 1 } }
    }
    const parsed = parseJson(text, this.options)
    if ('excess' in parsed) return parsed
    if ('reason' in parsed) return { malformed: parsed }
    const validate = this.bodies.get(type) ?? this.compiler.compile(schema, this.operation.schemas)
    this.bodies.set(type, validate)
    const errors = validate(parsed.value, content.length <= MAX_DETAILED_BYTES) ?? []
    return errors.map((error) => toPlacedError(error, '/body'))
  }

  private validateWritten({ parameter, shape, validate }: Check, written: Written): InputError[] {
    if (written === '' && parameter.allowsEmpty) return []
    if (parameter.isJson) {
      const parsed = parseJson(typeof written === 'string' ? written : '', this.options)
      return 'value' in parsed
        ? validateAll(validate, parsed.value)
        : [{ pointer: '', detail: `must be JSON: ${'excess' in parsed ? parsed.excess : parsed.reason}` }]
    }
    const errors = validateAll(validate, toValue(written, shape))
    if (errors.length === 0 || typeof written !== 'string' || !isAmbiguous(written, shape)) return errors
    return validateAll(validate, written).length === 0 ? [] : errors
  }

  private findUnknown(pairs: Pairs): InputError[] {
    const own = this.checks.filter(({ parameter }) => parameter.place === 'query')
    const isKnown = (name: string): boolean =>
      own.some(({ parameter, shape }) => {
        if (parameter.style === 'deepObject') return name.startsWith(`${parameter.name}[`)
        const isSpread = shape.form === 'record' && parameter.explode
        return isSpread ? shape.propertyNames.includes(name) : name === parameter.name
      })
    const unknown = new Set(pairs.map(([name]) => name).filter((name) => !isKnown(name)))
    return [...unknown].map((name) =>
      toPlacedError({ pointer: '', detail: 'is not known here' }, `/query/${toStep(name)}`),
    )
  }

  private findBodyType(mediaType: string): BodyType | undefined {
    return findRange(toEssence(mediaType), this.operation.body?.types ?? [])
  }
}

function validateAll(validate: Validate, value: JsonValue): InputError[] {
  return validate(value, true) ?? []
}

function readField(place: 'header' | 'cookie', name: string, { fields }: ExchangeRequest): string | undefined {
  if (place === 'header') return fields.joined(name.toLowerCase())
  const cookies = fields.names.flatMap((each, at) => (each === 'cookie' ? (fields.values[at] ?? '').split(';') : []))
  const found = cookies.map((each) => each.trim()).find((each) => each.startsWith(`${name}=`))
  return found?.slice(name.length + 1)
}

/** What flows after an upgrade is a tunnel and no body. */
function hasBody({ body, upgrade }: ExchangeRequest): boolean {
  if (body === undefined || upgrade !== undefined) return false
  return body instanceof Uint8Array ? body.length > 0 : body.bodyBytes !== 0
}
