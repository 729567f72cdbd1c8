/** Where versions stand in their life, in the store and in what is compiled. */
import type { Kysely, Selectable } from 'kysely'
import type { JsonObject } from '../../kernel/json.ts'
import type { LifecycleTable } from '../../db/lifecycle-tables.ts'
import type { Tables } from '../../db/tables.ts'
import type { WorkspaceRef, Write } from '../define-route.ts'
import { toTime } from '../resources/resource-view.ts'

export const LIFECYCLE_STATES = ['design', 'mock', 'published', 'deprecated', 'retired'] as const

export type LifecycleState = (typeof LIFECYCLE_STATES)[number]
export type LifecycleRow = Selectable<LifecycleTable>

/** The state of a version that nobody has moved. */
const INITIAL: LifecycleState = 'design'

export async function readLifecycle(db: Kysely<Tables>, versionId: string): Promise<LifecycleRow | undefined> {
  return db.selectFrom('lifecycles').selectAll().where('version_id', '=', versionId).executeTakeFirst()
}

export function stateOf(row: Pick<LifecycleRow, 'state'> | undefined): LifecycleState {
  return LIFECYCLE_STATES.find((state) => state === row?.state) ?? INITIAL
}

/** What the configuration of a version says of its life; undefined where it is served as it is written. */
export async function lifecycleSettings(
  db: Kysely<Tables>,
  workspace: WorkspaceRef,
  names: { readonly api: string; readonly version: string },
): Promise<JsonObject | undefined> {
  const row = await db
    .selectFrom('lifecycles')
    .innerJoin('resources as versions', 'versions.id', 'lifecycles.version_id')
    .innerJoin('resources as apis', 'apis.id', 'versions.parent_id')
    .selectAll('lifecycles')
    .where('apis.workspace_id', '=', workspace.id)
    .where('apis.kind', '=', 'api')
    .where('apis.name', '=', names.api)
    .where('versions.kind', '=', 'version')
    .where('versions.name', '=', names.version)
    .executeTakeFirst()
  return row === undefined ? undefined : toSettings(row)
}

export function toSettings(row: LifecycleRow): JsonObject | undefined {
  const state = stateOf(row)
  if (state === 'design' || state === 'published') return undefined
  if (state === 'mock') return { state }
  const { deprecated_at_ms: deprecatedMs, sunset_at_ms: sunsetMs, link, successor } = row
  return {
    state,
    ...(deprecatedMs === null ? {} : { deprecatedAt: toTime(deprecatedMs) }),
    ...(sunsetMs === null ? {} : { sunsetAt: toTime(sunsetMs) }),
    ...(link === '' ? {} : { link }),
    ...(successor === '' ? {} : { successor }),
  }
}

export type LifecycleFacts = Omit<LifecycleRow, 'version_id' | 'version' | 'created_at_ms' | 'updated_at_ms'>

export async function writeLifecycle(
  { db }: Pick<Write, 'db'>,
  versionId: string,
  before: LifecycleRow | undefined,
  facts: LifecycleFacts,
  nowMs: number,
): Promise<LifecycleRow> {
  const after: LifecycleRow = {
    version_id: versionId,
    ...facts,
    version: (before?.version ?? 0) + 1,
    created_at_ms: before?.created_at_ms ?? nowMs,
    updated_at_ms: nowMs,
  }
  if (before === undefined) await db.insertInto('lifecycles').values(after).execute()
  else await db.updateTable('lifecycles').set(after).where('version_id', '=', versionId).execute()
  return after
}

/** A version that is deployed is no mere design any more: what is live is published, unless it was told to be a mock. */
export async function enterService(
  write: Pick<Write, 'db'>,
  versionId: string,
  by: { readonly actorId: string; readonly nowMs: number },
): Promise<void> {
  const before = await readLifecycle(write.db, versionId)
  if (stateOf(before) !== 'design') return
  const facts = { ...NO_DATES, state: 'published', reason: 'deployed', changed_by: by.actorId }
  await writeLifecycle(write, versionId, before, facts, by.nowMs)
}

export const NO_DATES = { deprecated_at_ms: null, sunset_at_ms: null, link: '', successor: '' } as const
