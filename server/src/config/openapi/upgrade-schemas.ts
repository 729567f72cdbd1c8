/** Schemas of OpenAPI 3.0 to those of 3.1, which are JSON Schema 2020-12: policies then know one dialect only. */
import { upgrade } from '@scalar/openapi-upgrader'
import type { JsonObject } from '../../kernel/json.ts'
import { childOf } from '../findings.ts'

export function upgradeOperation(operation: JsonObject): JsonObject {
  const { paths } = upgradeDocument({ paths: { '/': { post: operation } } })
  // What went in was JSON, and the upgrade of JSON is JSON.
  return childOf(childOf(paths, '/'), 'post') as JsonObject
}

export function upgradeSchemas(schemas: JsonObject): JsonObject {
  const { components } = upgradeDocument({ paths: {}, components: { schemas } })
  // As above.
  return childOf(components, 'schemas') as JsonObject
}

function upgradeDocument(parts: JsonObject): { readonly paths?: unknown; readonly components?: unknown } {
  return upgrade({ openapi: '3.0.3', info: { title: '', version: '' }, ...structuredClone(parts) }, '3.1')
}
