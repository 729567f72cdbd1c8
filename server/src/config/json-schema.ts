/**
 * The document as one JSON Schema, so that an editor completes and checks a headgate.yaml while it is written. Draft 7,
 * which every YAML language server knows.
 */
import { z } from 'zod'
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/json.ts'
import type { PolicyDefinition } from '../kernel/policy.ts'
import { SECRET_REFERENCE } from '../kernel/secret-reference.ts'
import { configDocument } from './schema/document.ts'
import { policyEntry } from './schema/policy-entry.ts'

/** The schema of a headgate.yaml that may hold the given policies. */
export function generateJsonSchema(policies: readonly PolicyDefinition[]): JsonObject {
  const definitions = {
    policy: toEntrySchema(policies),
    ...Object.fromEntries(policies.flatMap((policy) => Object.entries(toConfigDefinitions(policy)))),
  }
  const document = { ...toSchema(configDocument), definitions }
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...allowReferences(document) }
}

/** The configuration of a kind, and what zod defines apart for it because it contains itself. */
function toConfigDefinitions(policy: PolicyDefinition): Record<string, JsonValue> {
  const name = `config-${policy.kind}`
  const text = JSON.stringify(toSchema(policy.config)).replaceAll('#/definitions/', `#/definitions/${name}`)
  // The text is the one of the line above, with other names in it.
  const { definitions = {}, ...schema } = JSON.parse(text) as { readonly definitions?: JsonObject }
  const apart = Object.entries(definitions).map(([key, inner]) => [`${name}${key}`, inner] as const)
  return { [name]: { title: policy.title, description: policy.summary, ...schema }, ...Object.fromEntries(apart) }
}

/** Policy entries are a reference, because all lists have the same. */
function toSchema(schema: z.ZodType): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema !== policyEntry || schema === policyEntry) return
      for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key)
      jsonSchema.$ref = '#/definitions/policy'
    },
  })
  // What zod gives is JSON by its nature; its type allows functions on it besides.
  return rest as JsonObject
}

/** What × when, and for each kind the configuration that it takes. */
function toEntrySchema(policies: readonly PolicyDefinition[]): JsonObject {
  const entry = toSchema(policyEntry)
  // The entry is a strict object of ours, so each of its properties has a schema.
  const { kind, ...properties } = entry['properties'] as { readonly [key: string]: JsonObject }
  const kinds = policies.map((policy) => ({ const: policy.kind, title: policy.title, description: policy.summary }))
  const branches = policies.map((policy) => {
    const isOptional = policy.config.safeParse({}).success
    const config = { properties: { config: { $ref: `#/definitions/config-${policy.kind}` } } }
    return {
      if: { properties: { kind: { const: policy.kind } }, required: ['kind'] },
      // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word, and nothing awaits it.
      then: isOptional ? config : { ...config, required: ['config'] },
    }
  })
  return { ...entry, properties: { kind: { ...kind, oneOf: kinds }, ...properties }, allOf: branches }
}

/** Text that holds a reference; what it stands for is not known before the file is read. */
const VARIABLE = '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}'
const REFERENCE = `${VARIABLE}|${SECRET_REFERENCE}`

/**
 * A number, a boolean and text of a certain form may also be given as a reference to the environment. Keywords of
 * numbers do not look at text and the other way round, so bounds stay as they are.
 */
function allowReferences(schema: JsonObject): JsonObject {
  const inner = Object.entries(schema).map(
    ([key, value]) => [key, LITERALS.has(key) ? value : allowInside(value)] as const,
  )
  const copy: Record<string, JsonValue> = Object.fromEntries(inner)
  const { type, pattern } = copy
  if (type === 'integer' || type === 'number' || type === 'boolean') {
    return { ...copy, type: [type, 'string'], pattern: `^${VARIABLE}$` }
  }
  if (type !== 'string') return copy
  const { format: _, ...rest } = copy
  if (typeof pattern !== 'string') return rest
  return { ...rest, pattern: `(?:${pattern})|${REFERENCE}|^file:` }
}

/** Keywords whose values are data. */
const LITERALS = new Set(['default', 'const', 'enum', 'examples'])

function allowInside(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(allowInside)
  return isJsonObject(value) ? allowReferences(value) : value
}
