// schema/headgate.schema.json: what an editor needs to complete and check a headgate.yaml while it is written.
import { z } from 'zod'
import { generateJsonSchema } from '../../server/src/config/json-schema.ts'
import { configDocument } from '../../server/src/config/schema/document.ts'
import { policyEntry } from '../../server/src/config/schema/policy-entry.ts'
import { policies } from '../../server/src/policies/index.ts'
import type { Schema } from './describe-schema.ts'

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

export function generateSchemaFile(): Map<string, string> {
  const text = JSON.stringify(generateJsonSchema(policies), undefined, 2)
  return new Map([['schema/headgate.schema.json', `${text}\n`]])
}
