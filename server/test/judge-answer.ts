/** Tells whether a value fulfils a schema as an answer has to, by Ajv: for measuring what shares no code with it. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from '../src/kernel/json.ts'

export interface Judged {
  /** Unjudged when Ajv cannot compile the schema. */
  readonly outcome: 'valid' | 'invalid' | 'unjudged'
  readonly why: string
}

/** `schemas` are what references in the schema lead to. */
export function judgeAnswer(schema: JsonValue, schemas: JsonObject, value: unknown): Judged {
  const settings = { strict: false, logger: false, validateSchema: false, multipleOfPrecision: 6 } as const
  const ajv = addFormats.default(new Ajv2020({ ...settings, code: { regExp: toRegExp } }))
  try {
    const root = { allOf: [toAnswerSchema(schema, schemas)], components: { schemas: toAnswerSchema(schemas, schemas) } }
    const validate = ajv.compile(root)
    if (validate(value) === true) return { outcome: 'valid', why: '' }
    const [error] = validate.errors ?? []
    return { outcome: 'invalid', why: `${error?.keyword}: ${error?.instancePath} ${error?.message}` }
  } catch (cause) {
    return { outcome: 'unjudged', why: String(cause) }
  }
}

/** What may only be sent is never required of an answer (OpenAPI 3.0 §4.7.24.2). */
function toAnswerSchema(schema: JsonValue, schemas: JsonObject): JsonValue {
  if (isJsonList(schema)) return schema.map((each) => toAnswerSchema(each, schemas))
  if (!isJsonObject(schema)) return schema
  const { properties } = schema
  const isWriteOnly = (name: JsonValue): boolean => {
    const own = isJsonObject(properties) && typeof name === 'string' ? properties[name] : undefined
    const reference = isJsonObject(own) ? own['$ref'] : undefined
    const target = typeof reference === 'string' ? schemas[reference.split('/').at(-1) ?? ''] : undefined
    return [own, target].some((each) => isJsonObject(each) && each['writeOnly'] === true)
  }
  // Without a `type` beside it, `nullable` has no effect (OpenAPI 3.0.3 §4.7.24.1), and Ajv trips over it.
  const { nullable: _, ...known } = schema
  const entries = Object.entries(known).map(([key, each]): [string, JsonValue] => {
    if (key === 'required' && isJsonList(each)) return [key, each.filter((name) => !isWriteOnly(name))]
    return [key, toAnswerSchema(each, schemas)]
  })
  return Object.fromEntries(entries)
}

/** Patterns that are valid only without the `u` flag are common. */
function toRegExp(source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch {
    return new RegExp(source)
  }
}
toRegExp.code = 'new RegExp'
