/** One operation for policies: with its references in place or leading to shared schemas, its path's parameters, in the terms of OpenAPI 3.1. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import { parameterNamesOf } from '../../kernel/path-template.ts'
import { childOf } from '../findings.ts'
import { listOf } from './json-tree.ts'
import type { ListedOperation } from './list-operations.ts'
import { ReferenceResolver } from './resolve-references.ts'
import type { RouteTemplate } from './route-template.ts'
import type { SharedSchemas } from './shared-schemas.ts'
import type { References } from './spec-files.ts'
import { upgradeOperation } from './upgrade-schemas.ts'

/** Throws a `ReferenceFault`. */
export function resolveOperation(
  operation: ListedOperation,
  dialect: '3.0' | '3.1',
  references: References,
  shared: SharedSchemas,
): JsonObject {
  const { item, value, template } = operation
  // An operation's parameter replaces the path's of the same name and place (OpenAPI 3.1 §4.8.9.1).
  const parameters = [...listOf(childOf(item.value, 'parameters')), ...listOf(childOf(value, 'parameters'))]
  // Callbacks are requests of the upstream, which do not come through here.
  const rest = Object.entries(value).filter(([key]) => key !== 'parameters' && key !== 'callbacks')
  const resolver = new ReferenceResolver(references, dialect === '3.1', shared)
  const resolved = resolver.resolve({ parameters, ...Object.fromEntries(rest) }, item.file)
  const all = Array.isArray(resolved['parameters']) ? resolved['parameters'] : []
  const unique = new Map(all.map((each) => [JSON.stringify([childOf(each, 'in'), childOf(each, 'name')]), each]))
  const complete = { ...resolved, parameters: [...unique.values()].flatMap((each) => toPlaced(each, template)) }
  return dialect === '3.0' ? upgradeOperation(complete) : complete
}

/** Parameters of the path that the document wrote into its query are of the query; one that is nowhere cannot be sent. */
function toPlaced(parameter: JsonValue, { path, moved }: RouteTemplate): JsonValue[] {
  if (!isJsonObject(parameter) || parameter['in'] !== 'path') return [parameter]
  const { name } = parameter
  if (typeof name !== 'string' || parameterNamesOf(path).includes(name)) return [parameter]
  const inQuery = moved.get(name)
  return inQuery === undefined ? [] : [{ ...parameter, in: 'query', name: inQuery }]
}
