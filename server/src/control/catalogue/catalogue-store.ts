/** What is live, as an entry of the catalogue: put together from deployments when it is asked for, so it is never behind. */
import { sql, type Kysely } from 'kysely'
import { isJsonObject } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import { stateOf, type LifecycleState } from '../lifecycle/lifecycle-store.ts'
import { documentOf } from '../resources/resource-view.ts'
import { contentOf } from '../revisions/revision-store.ts'
import { toPublicAddresses } from '../versions/public-addresses.ts'

export type Visibility = 'private' | 'workspace' | 'public'

export interface CatalogueEntry {
  readonly workspaceId: string
  readonly workspace: string
  readonly api: string
  readonly title: string
  readonly summary: string
  readonly owner: string
  readonly team: string
  readonly labels: Readonly<Record<string, string>>
  readonly visibility: Visibility
  readonly version: string
  readonly state: LifecycleState
  readonly sunsetAtMs: number | null
  readonly successor: string
  readonly revision: number
  readonly documentHash: string | undefined
  readonly servers: readonly string[]
}

/** Where an entry stands in the order. */
export type Place = readonly [workspace: string, api: string, version: string]

export interface CatalogueQuery {
  readonly environment: string
  readonly workspaceId?: string | undefined
  readonly api?: string | undefined
  readonly after?: Place | undefined
  readonly limit: number
}

/** Entries in the order of workspace, API and version. */
export async function readEntries(db: Kysely<Tables>, query: CatalogueQuery): Promise<CatalogueEntry[]> {
  let rows = selectLive(db).where('deployments.environment', '=', query.environment)
  if (query.workspaceId !== undefined) rows = rows.where('deployments.workspace_id', '=', query.workspaceId)
  if (query.api !== undefined) rows = rows.where('apis.name', '=', query.api)
  if (query.after !== undefined) {
    const [workspace, api, version] = query.after
    rows = rows.where(sql<boolean>`(workspaces.name, apis.name, versions.name) > (${workspace}, ${api}, ${version})`)
  }
  const found = await rows.limit(query.limit).execute()
  return found.map(toEntry)
}

function selectLive(db: Kysely<Tables>) {
  return db
    .selectFrom('deployments')
    .innerJoin('workspaces', 'workspaces.id', 'deployments.workspace_id')
    .innerJoin('revisions', 'revisions.id', 'deployments.revision_id')
    .innerJoin('resources as apis', 'apis.id', 'deployments.api_id')
    .innerJoin('resources as versions', 'versions.id', 'deployments.version_id')
    .leftJoin('lifecycles', 'lifecycles.version_id', 'deployments.version_id')
    .select(['workspaces.id as workspaceId', 'workspaces.name as workspace', 'apis.id as apiId', 'apis.name as api'])
    .select(['apis.spec', 'versions.name as version', 'revisions.id as revisionId', 'revisions.content'])
    .select(['revisions.number', 'lifecycles.state', 'lifecycles.sunset_at_ms', 'lifecycles.successor'])
    .where('deployments.state', '=', 'active')
    .orderBy('workspaces.name')
    .orderBy('apis.name')
    .orderBy('versions.name')
}

type Row = Awaited<ReturnType<ReturnType<typeof selectLive>['execute']>>[number]

function toEntry(row: Row): CatalogueEntry {
  const facts = documentOf({ id: row.apiId, spec: row.spec })
  const { settings, specHash } = contentOf({ id: row.revisionId, content: row.content })
  const text = (key: string): string => {
    const value = facts[key]
    return typeof value === 'string' ? value : ''
  }
  const { labels, visibility } = facts
  const words = isJsonObject(labels) ? Object.entries(labels) : []
  return {
    workspaceId: row.workspaceId,
    workspace: row.workspace,
    api: row.api,
    title: text('title') || row.api,
    summary: text('description'),
    owner: text('owner'),
    team: text('team'),
    labels: Object.fromEntries(words.flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : []))),
    visibility: visibility === 'public' || visibility === 'workspace' ? visibility : 'private',
    version: row.version,
    state: row.state === null ? 'published' : stateOf({ state: row.state }),
    sunsetAtMs: row.sunset_at_ms,
    successor: row.successor ?? '',
    revision: row.number,
    documentHash: specHash,
    servers: toPublicAddresses(settings, row.version),
  }
}
