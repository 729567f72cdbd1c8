/** Puts a revision into an environment, at once. Whatever it replaces is remembered, so that one call brings it back. */
import type { Selectable } from 'kysely'
import type { JsonObject } from '../../kernel/json.ts'
import { defineProblem } from '../../kernel/problem.ts'
import type { Snapshot } from '../../kernel/snapshot.ts'
import type { DeploymentTable } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import type { Call, WorkspaceRef, Write } from '../define-route.ts'
import { enterService } from '../lifecycle/lifecycle-store.ts'
import type { Revision } from '../revisions/revision-store.ts'
import { toLines } from '../../config/snapshot-lines.ts'
import { publishLines } from '../snapshots/publish-lines.ts'
import { toSnapshotName } from '../snapshots/snapshot-names.ts'
import { claimRoutes, releaseRoutes } from './route-claims.ts'

export type Deployment = Selectable<DeploymentTable>

export const missingUpstream = defineProblem({
  code: 'deployment.missing_upstream',
  status: 422,
  title: 'An upstream is missing',
  blame: 'caller',
  remedy: 'Create the upstream for the environment, or name another one.',
})

export interface DeployParts {
  readonly call: Pick<Call, 'control' | 'actor' | 'workspace'>
  readonly write: Write
  readonly environment: string
  readonly revision: Revision
  /** The revision compiled, with its secrets. */
  readonly compiled: Snapshot
  readonly api: string
  readonly version: string
  readonly reason: string
}

/** Deploys, and returns the deployment that is active now. */
export async function deploy(parts: DeployParts): Promise<Deployment> {
  const { call, write, environment, revision, compiled } = parts
  const { control, workspace, actor } = call
  await checkUpstreams(write.db, { workspace, environment, compiled })
  await enterService(write, revision.version_id, { actorId: actor.id, nowMs: control.clock.now() })
  await claimRoutes(
    write.db,
    { environment, workspaceId: workspace.id, versionId: revision.version_id, name: `${parts.api} ${parts.version}` },
    compiled.routes.map(({ match }) => match),
  )
  const previous = await findActive(write, revision.version_id, environment)
  const nowMs = control.clock.now()
  if (previous !== undefined) await supersede(write, previous, nowMs)
  const deployment: Deployment = {
    id: control.newId('deployment'),
    workspace_id: workspace.id,
    environment,
    api_id: revision.api_id,
    version_id: revision.version_id,
    revision_id: revision.id,
    previous_id: previous?.id ?? '',
    strategy: 'direct',
    state: 'active',
    percent: 100,
    plan: '{}',
    reason: parts.reason,
    created_by: actor.id,
    version: 1,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  }
  await write.db.insertInto('deployments').values(deployment).execute()
  await publishVersion(parts)
  write.note({
    kind: 'deployment',
    id: deployment.id,
    name: `${parts.api} ${parts.version}`,
    after: toFacts(deployment),
  })
  return deployment
}

/** Takes a version out of an environment; its deployments stay as history. */
export async function undeploy(
  { control, workspace }: { readonly control: Control; readonly workspace: WorkspaceRef },
  write: Write,
  active: Deployment,
  names: { readonly api: string; readonly version: string },
): Promise<void> {
  await releaseRoutes(write.db, active.environment, active.version_id)
  await supersede(write, active, control.clock.now())
  const removed = await linesOfVersion(write, active.environment, workspace, names)
  await publishLines(write, active.environment, { removed, lines: [] })
  write.note({ kind: 'deployment', id: active.id, name: `${names.api} ${names.version}`, before: toFacts(active) })
}

export async function findActive(
  write: Pick<Write, 'db'>,
  versionId: string,
  environment: string,
): Promise<Deployment | undefined> {
  return write.db
    .selectFrom('deployments')
    .selectAll()
    .where('version_id', '=', versionId)
    .where('environment', '=', environment)
    .where('state', '=', 'active')
    .executeTakeFirst()
}

async function supersede({ db }: Write, deployment: Deployment, nowMs: number): Promise<void> {
  await db
    .updateTable('deployments')
    .set({ state: 'superseded', version: deployment.version + 1, updated_at_ms: nowMs })
    .where('id', '=', deployment.id)
    .execute()
}

/** Lines of the new revision in; those that only the old one had go. */
async function publishVersion({ call, write, environment, compiled, api, version }: DeployParts): Promise<void> {
  const lines = toLines(compiled)
  const kept = new Set(lines.map(({ key }) => key))
  const before = await linesOfVersion(write, environment, call.workspace, { api, version })
  await publishLines(write, environment, { removed: before.filter((key) => !kept.has(key)), lines })
}

/** Keys of the lines of a version that are live. */
async function linesOfVersion(
  { db }: Write,
  environment: string,
  workspace: WorkspaceRef,
  { api, version }: { readonly api: string; readonly version: string },
): Promise<string[]> {
  const name = `${toSnapshotName(workspace.name, api)}/${version}`
  const begin = `routes/${name}/`
  const rows = await db
    .selectFrom('snapshot_lines')
    .select('key')
    .where('environment', '=', environment)
    .where('line', '<>', '')
    .where((where) =>
      // `0` follows `/` in both stores' order of bytes: the range holds what begins with the prefix.
      where.or([
        where('key', '=', `apis/${name}`),
        where.and([where('key', '>=', begin), where('key', '<', `routes/${name}0`)]),
      ]),
    )
    .execute()
  return rows.map(({ key }) => key).filter((key) => key === `apis/${name}` || key.startsWith(begin))
}

/** Refuses what names an upstream that is not there for the environment. */
export async function checkUpstreams(
  db: Write['db'],
  {
    workspace,
    environment,
    compiled,
  }: { readonly workspace: WorkspaceRef; readonly environment: string; readonly compiled: Snapshot },
): Promise<void> {
  const names = new Set(compiled.routes.flatMap(({ upstream }) => (upstream === undefined ? [] : [upstream])))
  if (names.size === 0) return
  const rows = await db
    .selectFrom('resources')
    .select('name')
    .where('workspace_id', '=', workspace.id)
    .where('kind', '=', 'upstream')
    .where('environment', 'in', ['', environment])
    .execute()
  const known = new Set(rows.map(({ name }) => toSnapshotName(workspace.name, name)))
  const missing = [...names].find((name) => !known.has(name))
  if (missing !== undefined) refuse(missingUpstream({ detail: `There is no upstream ${missing} for ${environment}.` }))
}

function toFacts({ environment, revision_id: revision, state, percent, strategy }: Deployment): JsonObject {
  return { environment, revision, state, percent, strategy }
}
