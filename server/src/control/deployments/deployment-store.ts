/** Deployments in the store, and what states they go through. */
import type { Kysely, Selectable } from 'kysely'
import type { JsonObject } from '../../kernel/json.ts'
import type { DeploymentTable, Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { WorkspaceRef, Write } from '../define-route.ts'
import { notFound } from '../problems.ts'
import { contentOf } from '../revisions/revision-store.ts'
import type { VersionPlace } from './version-lines.ts'

export type Deployment = Selectable<DeploymentTable>

/** A deployment with what people call its version. */
export type NamedDeployment = Deployment & { readonly number: number; readonly content: string }

/**
 * `active` serves; `progressing` is a canary and serves a share of the callers; `standby` stands ready beside the active
 * one. All others are history, but for `awaiting-approval`.
 */
export const LIVE_STATES = ['active', 'progressing', 'standby'] as const

export interface LiveDeployments {
  readonly active: Deployment | undefined
  /** The one beside it. */
  readonly beside: Deployment | undefined
}

export async function findLive(
  { db }: Pick<Write, 'db'>,
  versionId: string,
  environment: string,
): Promise<LiveDeployments> {
  const rows = await db
    .selectFrom('deployments')
    .selectAll()
    .where('version_id', '=', versionId)
    .where('environment', '=', environment)
    .where('state', 'in', LIVE_STATES)
    .execute()
  return { active: rows.find(({ state }) => state === 'active'), beside: rows.find(({ state }) => state !== 'active') }
}

export async function findActive(
  write: Pick<Write, 'db'>,
  versionId: string,
  environment: string,
): Promise<Deployment | undefined> {
  return (await findLive(write, versionId, environment)).active
}

/** A deployment of the workspace; refuses with 404. */
export async function getDeployment(db: Kysely<Tables>, workspace: WorkspaceRef, id: string): Promise<NamedDeployment> {
  const row = await db
    .selectFrom('deployments')
    .innerJoin('revisions', 'revisions.id', 'deployments.revision_id')
    .selectAll('deployments')
    .select(['revisions.number', 'revisions.content'])
    .where('deployments.id', '=', id)
    .where('deployments.workspace_id', '=', workspace.id)
    .executeTakeFirst()
  return row ?? refuse(notFound({ detail: 'There is no such deployment.' }))
}

/** Changes a row and returns it as it is now. */
export async function changeDeployment<Row extends Deployment>(
  { db }: Pick<Write, 'db'>,
  row: Row,
  nowMs: number,
  changes: Partial<Deployment>,
): Promise<Row> {
  const all = { ...changes, version: row.version + 1, updated_at_ms: nowMs }
  await db.updateTable('deployments').set(all).where('id', '=', row.id).execute()
  return { ...row, ...all }
}

export function toPlace(workspace: WorkspaceRef, deployment: NamedDeployment): VersionPlace {
  const { api, version } = contentOf({ id: deployment.revision_id, content: deployment.content })
  return { environment: deployment.environment, workspace, versionId: deployment.version_id, api, version }
}

/** Notes for the audit what a deployment was and is. */
export function noteDeployment(
  write: Write,
  place: VersionPlace,
  before: Deployment | undefined,
  after: Deployment | undefined,
): void {
  write.note({
    kind: 'deployment',
    id: (after ?? before)?.id ?? '',
    name: `${place.api} ${place.version}`,
    ...(before === undefined ? {} : { before: toFacts(before) }),
    ...(after === undefined ? {} : { after: toFacts(after) }),
  })
}

function toFacts({ environment, revision_id: revision, state, percent, strategy, reason }: Deployment): JsonObject {
  return { environment, revision, state, percent, strategy, reason }
}
