// schema/headgate.schema.json: what an editor needs to complete and check a headgate.yaml while it is written.
import { z } from 'zod'
import { configDocument } from '../../server/src/config/schema/document.ts'
import { policyEntry } from '../../server/src/config/schema/policy-entry.ts'
import { policies } from '../../server/src/policies/index.ts'
import type { Schema } from './describe-schema.ts'
import { toConfigSchema } from './policy-reference.ts'

/** The schema of the document. An entry of a policy list is a reference, since all lists have the same. */
export function toDocumentSchema(): Schema {
  return z.toJSONSchema(configDocument, {
    io: 'input',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema !== policyEntry) return
      for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key)
      jsonSchema.$ref = '#/$defs/policy'
    },
  }) as Schema
}

/** What × when, and for each kind the configuration that it takes. */
function toEntrySchema(): unknown {
  const { $schema: _, ...entry } = z.toJSONSchema(policyEntry, { io: 'input', reused: 'inline' })
  const kinds = policies.map(({ kind, title, summary }) => ({ const: kind, title, description: summary }))
  const branches = policies.map((policy) => ({
    if: { properties: { kind: { const: policy.kind } }, required: ['kind'] },
    // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's word, and nothing awaits it.
    then: { properties: { config: { $ref: `#/$defs/${policy.kind}` } } },
  }))
  return {
    ...entry,
    properties: { ...entry.properties, kind: { ...(entry.properties?.['kind'] as object), anyOf: kinds } },
    allOf: branches,
  }
}

/**
 * A number or boolean may also be given as a reference to the environment, which is text until the file is read.
 * Everything else is kept as it is.
 */
function allowReferences(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(allowReferences)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, allowReferences(value)]))
  const { type, title, description, default: fallback, ...bounds } = copy
  if (type !== 'integer' && type !== 'number' && type !== 'boolean') return copy
  const reference = { type: 'string', pattern: '^\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-.*)?\\}$' }
  return { title, description, default: fallback, anyOf: [{ type, ...bounds }, reference] }
}

export function generateJsonSchema(): Map<string, string> {
  const configs = policies.map((policy) => {
    const { $schema: _, ...schema } = toConfigSchema(policy) as Schema & { $schema?: string }
    return [policy.kind, { title: policy.title, description: policy.summary, ...schema }] as const
  })
  const document = { ...toDocumentSchema(), $defs: { policy: toEntrySchema(), ...Object.fromEntries(configs) } }
  return new Map([['schema/headgate.schema.json', `${JSON.stringify(allowReferences(document), undefined, 2)}\n`]])
}
