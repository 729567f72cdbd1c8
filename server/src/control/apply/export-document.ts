/** What is live in an environment of a workspace, as a document that `apply` takes: the same state, the same bytes. */
import type { Kysely } from 'kysely'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import type { WorkspaceRef } from '../define-route.ts'
import type { Resource } from '../resources/resource-store.ts'
import { documentOf, toTime } from '../resources/resource-view.ts'
import { contentOf } from '../revisions/revision-store.ts'
import { readBlob } from '../versions/version-store.ts'
import { DEFAULT_WORKSPACE } from '../snapshots/snapshot-names.ts'
import { readEnvironment } from '../environments/read-environment.ts'
import { lifecycleSettings } from '../lifecycle/lifecycle-store.ts'
import { readWorkspaceSettings } from '../workspaces/workspace-settings.ts'

export interface ExportedDocument {
  readonly document: JsonObject
  /** OpenAPI documents by the path under which the document names them. */
  readonly files: ReadonlyMap<string, string>
}

export async function exportDocument(
  db: Kysely<Tables>,
  workspace: WorkspaceRef,
  environment: string,
  withGateway: boolean,
): Promise<ExportedDocument> {
  const files = new Map<string, string>()
  const { policies } = await readWorkspaceSettings(db, workspace)
  const gateway = withGateway && workspace.name === DEFAULT_WORKSPACE ? await gatewayOf(db, environment) : {}
  const lists = {
    upstreams: (await effective(db, workspace, 'upstream', environment)).map(documentOf),
    apis: await exportApis(db, workspace, environment, files),
    policyLists: (await effective(db, workspace, 'policy-list', '')).map(documentOf),
    products: (await effective(db, workspace, 'product', '')).map(documentOf),
    consumers: await exportConsumers(db, workspace, environment),
    certificates: (await effective(db, workspace, 'certificate', environment)).map(documentOf),
    webhooks: (await effective(db, workspace, 'webhook', '')).map(documentOf),
  }
  const filled = Object.entries(lists).filter(([, list]) => list.length > 0)
  const document: JsonObject = {
    headgate: 1,
    ...(Object.keys(gateway).length === 0 ? {} : { gateway: sorted(gateway) }),
    ...(policies.length === 0 ? {} : { policies: policies.map((each) => (isJsonObject(each) ? sorted(each) : each)) }),
    ...Object.fromEntries(filled.map(([key, list]) => [key, list.map(sorted)])),
  }
  return { document, files }
}

async function gatewayOf(db: Kysely<Tables>, environment: string): Promise<JsonObject> {
  const { gateway } = await readEnvironment(db, environment)
  const value: unknown = JSON.parse(gateway)
  return isJsonObject(value) ? value : {}
}

/** The things of a kind that count in the environment: its own, and those for all that it has none of its own for. */
async function effective(
  db: Kysely<Tables>,
  workspace: WorkspaceRef,
  kind: string,
  environment: string,
): Promise<Resource[]> {
  const rows = await db
    .selectFrom('resources')
    .selectAll()
    .where('workspace_id', '=', workspace.id)
    .where('kind', '=', kind)
    .where('environment', 'in', ['', environment])
    .execute()
  const byName = new Map<string, Resource>()
  for (const row of rows) if (row.environment !== '' || !byName.has(row.name)) byName.set(row.name, row)
  return [...byName.values()].toSorted((a, b) => compare(a.name, b.name))
}

async function exportApis(
  db: Kysely<Tables>,
  workspace: WorkspaceRef,
  environment: string,
  files: Map<string, string>,
): Promise<JsonObject[]> {
  const live = await db
    .selectFrom('deployments')
    .innerJoin('revisions', 'revisions.id', 'deployments.revision_id')
    .innerJoin('resources as apis', 'apis.id', 'deployments.api_id')
    .select(['revisions.id', 'revisions.content', 'apis.id as api_id', 'apis.spec'])
    .where('deployments.workspace_id', '=', workspace.id)
    .where('deployments.environment', '=', environment)
    .where('deployments.state', '=', 'active')
    .execute()
  const entries: JsonObject[] = []
  for (const row of live) {
    const { api, version, settings, specHash } = contentOf(row)
    const facts = documentOf({ id: row.api_id, spec: row.spec })
    const lifecycle = await lifecycleSettings(db, workspace, { api, version })
    const entry = { ...facts, ...settings, ...(lifecycle === undefined ? {} : { lifecycle }), name: api, version }
    if (specHash === undefined) entries.push(entry)
    else {
      const text = await readBlob(db, specHash)
      const path = `./specs/${api}-${version}.${text.trimStart().startsWith('{') ? 'json' : 'yaml'}`
      files.set(path, text)
      entries.push({ ...entry, spec: path })
    }
  }
  return entries.toSorted((a, b) => compare(keyOf(a), keyOf(b)))
}

function keyOf({ name, version }: JsonObject): string {
  return JSON.stringify([name, version])
}

async function exportConsumers(
  db: Kysely<Tables>,
  workspace: WorkspaceRef,
  environment: string,
): Promise<JsonObject[]> {
  const rows = await effective(db, workspace, 'consumer', environment)
  const keys = await db
    .selectFrom('credentials')
    .select(['consumer_id', 'name', 'hash', 'expires_at_ms'])
    .where('workspace_id', '=', workspace.id)
    .where('revoked_at_ms', 'is', null)
    .execute()
  const subscriptions = await db
    .selectFrom('subscriptions')
    .innerJoin('resources', 'resources.id', 'subscriptions.product_id')
    .select(['subscriptions.consumer_id', 'resources.name as product', 'subscriptions.plan'])
    .where('subscriptions.workspace_id', '=', workspace.id)
    .where('subscriptions.state', '=', 'active')
    .execute()
  const keysOf = Map.groupBy(keys, ({ consumer_id: id }) => id)
  const subscriptionsOf = Map.groupBy(subscriptions, ({ consumer_id: id }) => id)
  return rows.map((row) => {
    const own = (keysOf.get(row.id) ?? []).toSorted((a, b) => compare(a.name, b.name))
    const subscribed = (subscriptionsOf.get(row.id) ?? []).toSorted((a, b) => compare(a.product, b.product))
    return {
      ...documentOf(row),
      ...(own.length === 0 ? {} : { keys: own.map(toKey) }),
      ...(subscribed.length === 0 ? {} : { subscriptions: subscribed.map(({ product, plan }) => ({ product, plan })) }),
    }
  })
}

function toKey({ name, hash, expires_at_ms: ms }: { name: string; hash: string; expires_at_ms: number | null }) {
  return { name, hash, ...(ms === null ? {} : { expiresAt: toTime(ms) }) }
}

/** `name` and `version` first, for people; all other keys in the order of their names. */
function sorted(value: JsonObject): JsonObject {
  const first = ['headgate', 'name', 'version', 'kind']
  const rank = (key: string): number => (first.includes(key) ? first.indexOf(key) : first.length)
  const entries = Object.entries(value)
    .toSorted(([a], [b]) => rank(a) - rank(b) || compare(a, b))
    .map(([key, inner]) => [key, sortInside(inner)] as const)
  return Object.fromEntries(entries)
}

function sortInside(value: JsonObject[string]): JsonObject[string] {
  if (Array.isArray(value)) return value.map((each: JsonObject[string]) => sortInside(each))
  return isJsonObject(value) ? sorted(value) : value
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
