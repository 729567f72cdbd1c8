/** The operations of a noun whose things are documents: list, create, show, replace, patch, remove. */
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { defineRoute, type AdminRoute, type Call } from '../define-route.ts'
import { toEnvironmentName } from '../environments/environment-names.ts'
import { refuse } from '../control-error.ts'
import { invalid } from '../problems.ts'
import { environmentOf, environmentQuery, params, toShelf, toWord } from './collection-route-parts.ts'
import type { CollectionDefinition } from './define-collection.ts'
import { listQuery, pageOf } from './paging.ts'
import { patchRoute } from './patch-route.ts'
import { dropResources, putResource } from './put-resources.ts'
import { getResource, listResources, type Resource } from './resource-store.ts'
import { resourceView, toResourceView } from './resource-view.ts'

export function collectionRoutes(collection: CollectionDefinition): AdminRoute[] {
  return [listRoute, createRoute, getRoute, replaceRoute, patchRoute, removeRoute].map((toRoute) => toRoute(collection))
}

function listRoute(collection: CollectionDefinition): AdminRoute {
  const { kind, plural, permissions } = collection
  return defineRoute({
    id: `list${toWord(plural)}`,
    method: 'GET',
    path: `/workspaces/{workspace}/${plural}`,
    tag: plural,
    summary: `Lists ${plural}.`,
    permission: `${permissions}.read`,
    effect: 'read',
    query: listQuery,
    output: pageOf(resourceView),
    async handle({ control, db, workspace, query }) {
      const { rows, next } = await listResources(db, toShelf(kind, workspace.id), query)
      return { body: { items: rows.map((row) => toResourceView(row, collection, control)), next } }
    },
  })
}

function createRoute(collection: CollectionDefinition): AdminRoute {
  const { kind, plural, title, permissions, schema } = collection
  return defineRoute({
    id: `create${toWord(kind)}`,
    method: 'POST',
    path: `/workspaces/{workspace}/${plural}`,
    tag: plural,
    summary: `Creates ${title}.`,
    permission: `${permissions}.write`,
    effect: 'create',
    query: environmentQuery(collection),
    body: schema,
    output: resourceView,
    async handle(call) {
      const environment = await checkEnvironment(call, call.query)
      const document = await checkDocument(collection, call)
      return call.write(async (write) => {
        const row = await putResource(collection, { call, write, environment, document, row: undefined })
        return { status: 201, body: toResourceView(row, collection, call.control), etag: row.version }
      })
    },
  })
}

function getRoute(collection: CollectionDefinition): AdminRoute {
  const { kind, plural, title, permissions } = collection
  return defineRoute({
    id: `get${toWord(kind)}`,
    method: 'GET',
    path: `/workspaces/{workspace}/${plural}/{name}`,
    tag: plural,
    summary: `Shows ${title}.`,
    permission: `${permissions}.read`,
    effect: 'read',
    params,
    query: environmentQuery(collection),
    output: resourceView,
    async handle({ control, db, workspace, params: { name }, query }) {
      const row = await getResource(db, toShelf(kind, workspace.id), name, environmentOf(query))
      return { body: toResourceView(row, collection, control), etag: row.version }
    },
  })
}

function replaceRoute(collection: CollectionDefinition): AdminRoute {
  const { kind, plural, title, permissions, schema } = collection
  return defineRoute({
    id: `replace${toWord(kind)}`,
    method: 'PUT',
    path: `/workspaces/{workspace}/${plural}/{name}`,
    tag: plural,
    summary: `Replaces ${title}.`,
    permission: `${permissions}.write`,
    effect: 'change',
    params,
    query: environmentQuery(collection),
    body: schema,
    output: resourceView,
    async handle(call) {
      const { name } = call.params
      const environment = environmentOf(call.query)
      const document = await checkDocument(collection, call)
      if (document['name'] !== name) {
        refuse(invalid({ errors: [{ pointer: '/name', detail: 'differs from the name in the path' }] }))
      }
      return call.write(async (write) => {
        const row = await getResource(write.db, toShelf(kind, call.workspace.id), name, environment)
        const after = await putResource(collection, { call, write, environment, document, row })
        return { body: toResourceView(after, collection, call.control), etag: after.version }
      })
    },
  })
}

function removeRoute(collection: CollectionDefinition): AdminRoute {
  const { kind, plural, title, permissions } = collection
  return defineRoute({
    id: `remove${toWord(kind)}`,
    method: 'DELETE',
    path: `/workspaces/{workspace}/${plural}/{name}`,
    tag: plural,
    summary: `Removes ${title}.`,
    permission: `${permissions}.write`,
    effect: 'remove',
    params,
    query: environmentQuery(collection),
    async handle(call) {
      const { params: path, query, workspace } = call
      return call.write(async (write): Promise<{ status: number }> => {
        const row: Resource = await getResource(write.db, toShelf(kind, workspace.id), path.name, environmentOf(query))
        await dropResources(collection, { call, write }, [row])
        return { status: 204 }
      })
    },
  })
}

async function checkEnvironment({ db }: Pick<Call, 'db'>, query: { readonly environment?: string }): Promise<string> {
  return query.environment === undefined || query.environment === '' ? '' : toEnvironmentName(db, query.environment)
}

/** The document as it was given: the schema has checked it, and its defaults stay out of what is kept. */
async function checkDocument(collection: CollectionDefinition, call: Call): Promise<JsonObject> {
  const { given } = call
  if (!isJsonObject(given)) throw new TypeError('a body that was checked by the schema of an object is one')
  await collection.check?.(call.control, call.db, call.workspace, given)
  return given
}
