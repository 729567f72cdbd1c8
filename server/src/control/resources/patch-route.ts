/** Changes parts of a document: what a caller does not name stays as it is, also what a newer program put there. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import { refuse } from '../control-error.ts'
import { defineRoute, type AdminRoute } from '../define-route.ts'
import { parseInput } from '../parse-input.ts'
import { invalid } from '../problems.ts'
import { environmentOf, environmentQuery, params, toShelf, toWord } from './collection-route-parts.ts'
import type { CollectionDefinition } from './define-collection.ts'
import { putResource } from './put-resources.ts'
import { mergePatch } from './merge-patch.ts'
import { toPatchSchema } from './patch-schema.ts'
import { getResource } from './resource-store.ts'
import { documentOf, resourceView, toResourceView } from './resource-view.ts'

export function patchRoute(collection: CollectionDefinition): AdminRoute {
  const { kind, plural, title, permissions } = collection
  return defineRoute({
    id: `patch${toWord(kind)}`,
    method: 'PATCH',
    path: `/workspaces/{workspace}/${plural}/{name}`,
    tag: plural,
    summary: `Changes what a JSON Merge Patch (RFC 7396) names of ${title}.`,
    permission: `${permissions}.write`,
    effect: 'change',
    params,
    query: environmentQuery(collection),
    body: toPatchSchema(collection.schema),
    output: resourceView,
    async handle(call) {
      const { control, db, workspace, query } = call
      const environment = environmentOf(query)
      const shelf = toShelf(kind, workspace.id)
      const row = await getResource(db, shelf, call.params.name, environment)
      const document = patched(collection, documentOf(row), call.given)
      await collection.check?.(control, db, workspace, document)
      return call.write(async (write) => {
        const current = await getResource(write.db, shelf, row.name, environment)
        // The patch was laid over this very version: over another one it might say something else.
        const expectedVersion = call.expectedVersion ?? row.version
        const parts = { call: { ...call, expectedVersion }, write, environment, document, row: current }
        const after = await putResource(collection, parts)
        return { body: toResourceView(after, collection, control), etag: after.version }
      })
    },
  })
}

function patched({ schema }: CollectionDefinition, before: JsonObject, given: unknown): JsonObject {
  // The schema of the body has said that it is an object of JSON.
  const after = mergePatch(before, given as JsonValue)
  if (!isJsonObject(after)) throw new TypeError('an object with a patch over it stays one')
  parseInput(schema, after, '')
  if (after['name'] === before['name']) return after
  return refuse(invalid({ errors: [{ pointer: '/name', detail: 'a thing keeps its name' }] }))
}
