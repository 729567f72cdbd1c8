/** The five operations of a noun whose things are documents: list, create, show, replace, remove. */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { defineRoute, type AdminRoute, type Call } from '../define-route.ts'
import { toEnvironmentName } from '../environments/environment-names.ts'
import { refuse } from '../control-error.ts'
import { invalid } from '../problems.ts'
import { dropResource, putResource, type CollectionDefinition } from './define-collection.ts'
import { listQuery, pageOf } from './paging.ts'
import { getResource, listResources, type Resource, type Shelf } from './resource-store.ts'
import { resourceView, toResourceView } from './resource-view.ts'

const params = z.strictObject({ name: z.string().max(200) })

export function collectionRoutes(collection: CollectionDefinition): AdminRoute[] {
  return [listRoute, createRoute, getRoute, replaceRoute, removeRoute].map((toRoute) => toRoute(collection))
}

function listRoute({ kind, plural, permissions }: CollectionDefinition): AdminRoute {
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
    async handle({ db, workspace, query }) {
      const { rows, next } = await listResources(db, toShelf(kind, workspace.id), query)
      return { body: { items: rows.map(toResourceView), next } }
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
        return { status: 201, body: toResourceView(row), etag: row.version }
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
    async handle({ db, workspace, params: { name }, query }) {
      const row = await getResource(db, toShelf(kind, workspace.id), name, environmentOf(query))
      return { body: toResourceView(row), etag: row.version }
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
        return { body: toResourceView(after), etag: after.version }
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
        await dropResource(collection, { call, write, row })
        return { status: 204 }
      })
    },
  })
}

/** `{environment}` for nouns whose things may be for one environment alone, and nothing for the others. */
function environmentQuery({ perEnvironment }: CollectionDefinition): z.ZodType<{ environment?: string }> {
  const environment = z.string().max(100).optional().meta({ description: 'The one that is for this environment.' })
  return perEnvironment ? z.strictObject({ environment }) : z.strictObject({})
}

function environmentOf({ environment }: { readonly environment?: string }): string {
  return environment ?? ''
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

function toShelf(kind: string, workspaceId: string): Shelf {
  return { workspaceId, kind, parentId: '' }
}

/** `rate-limits` to `RateLimits`. */
function toWord(name: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
