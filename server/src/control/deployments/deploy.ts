/**
 * Puts a revision into an environment: instead of what is there, or beside it. Whatever it replaces is remembered, so
 * that one call brings it back. Where the environment asks for approval, it waits for that first.
 */
import { randomBytes } from 'node:crypto'
import { defineProblem } from '../../kernel/problem.ts'
import type { ReleaseSpec, SnapshotContent } from '../../kernel/snapshot.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import { personBehind } from '../actor.ts'
import type { Call, WorkspaceRef, Write } from '../define-route.ts'
import { enterService } from '../lifecycle/lifecycle-store.ts'
import { notFound } from '../problems.ts'
import type { Revision } from '../revisions/revision-store.ts'
import { askForApproval, needsApproval } from './approval.ts'
import { checkGuarded } from '../environments/check-guarded.ts'
import { checkPlaces } from '../environments/places.ts'
import { checkUpstreams } from './check-upstreams.ts'
import {
  changeDeployment,
  findLive,
  noteDeployment,
  type Deployment,
  type LiveDeployments,
} from './deployment-store.ts'
import { toSplitBy, type CanaryPlan, type KeptPlan, type Strategy } from './release-plan.ts'
import { publishParts, readParts, toPart, toShare, type RevisionPart, type VersionPlace } from './version-lines.ts'

export const inProgress = defineProblem({
  code: 'deployment.in_progress',
  status: 409,
  title: 'A canary is in progress',
  blame: 'caller',
  remedy: 'Promote the canary or abort it first; each is one call.',
})

export interface DeployParts {
  readonly call: Pick<Call, 'control' | 'actor' | 'workspace'>
  readonly write: Write
  readonly environment: string
  readonly revision: Revision
  /** The revision compiled, with its secrets. */
  readonly compiled: SnapshotContent
  readonly api: string
  readonly version: string
  readonly reason: string
  /** Default: direct. */
  readonly strategy?: Strategy
  /** Of a canary. */
  readonly canary?: CanaryPlan | undefined
  /** Goes live without approval: it brings back what was live before what serves now. */
  readonly isUndo?: boolean
  /** The row that has been approved. */
  readonly approved?: Deployment
}

/** Deploys, and returns the deployment, which is live or awaits approval. */
export async function deploy(parts: DeployParts): Promise<Deployment> {
  const { call, write, environment, revision, compiled } = parts
  await checkVersionIsThere(parts)
  await checkUpstreams(write.db, { workspace: call.workspace, environment, compiled })
  await checkPlaces(write.db, { workspace: call.workspace, environment, compiled })
  const live = await findLive(write, revision.version_id, environment)
  const row = toRow(parts, live)
  const isFree = parts.isUndo === true || parts.approved !== undefined
  if (!isFree && (await needsApproval(write.db, environment))) return askForApproval(write, toPlaceOf(parts), row)
  if (live.beside?.state === 'progressing') refuse(inProgress({ detail: `It is ${live.beside.id}.` }))
  const nowMs = call.control.clock.now()
  const place = toPlaceOf(parts)
  await enterService(write, revision.version_id, { actorId: call.actor.id, nowMs })
  if (live.beside !== undefined) await supersede(write, live.beside, nowMs)
  const next = await standBeside(parts, live, row)
  if (next.beside === undefined) {
    if (live.active !== undefined) await supersede(write, live.active, nowMs)
    await publishParts(write, place, [{ part: toPart(compiled), release: undefined }])
  } else {
    if (live.active !== undefined) {
      await changeDeployment(write, live.active, nowMs, { percent: 100 - next.row.percent })
    }
    await publishParts(write, place, next.beside)
  }
  await save(write, next.row, parts.approved)
  noteDeployment(write, place, parts.approved, next.row)
  return next.row
}

/** A deployment that waits, or one to go back to, outlives its version: the history keeps its revision. */
async function checkVersionIsThere({ write, revision, api, version }: DeployParts): Promise<void> {
  const row = await write.db
    .selectFrom('resources')
    .select('id')
    .where('id', '=', revision.version_id)
    .executeTakeFirst()
  if (row === undefined) refuse(notFound({ detail: `The version ${version} of ${api} was removed since.` }))
}

interface Standing {
  readonly row: Deployment
  /** Both parts, when it comes to stand beside another. */
  readonly beside: Parameters<typeof publishParts>[2] | undefined
}

/** With nothing live there is nothing to compare with or to switch back to: any strategy then is a direct one. */
async function standBeside(parts: DeployParts, { active }: LiveDeployments, row: Deployment): Promise<Standing> {
  const { strategy = 'direct', write, compiled, canary, call } = parts
  const percent = strategy === 'canary' ? (canary?.steps[0]?.percent ?? 100) : 0
  if (active === undefined || strategy === 'direct' || percent === 100) {
    return { row: { ...row, state: 'active', percent: 100 }, beside: undefined }
  }
  const known = await readParts(write.db, toPlaceOf(parts))
  const old = known.get(active.id) ?? known.get('')
  if (old === undefined) throw new Error(`the lines of ${active.id} are missing`)
  const fresh = toPart(compiled)
  const by = toSplitBy(canary?.by ?? 'credential', [old, fresh].flatMap(policyLists), call.control.policies)
  const split = { group: row.id, key: randomBytes(16).toString('base64url'), by }
  const releaseOf = (deployment: string, isBeside: boolean): ReleaseSpec => {
    return { deployment, isBeside, split: { ...split, ...toShare(percent, isBeside) } }
  }
  return {
    row: { ...row, state: strategy === 'canary' ? 'progressing' : 'standby', percent },
    beside: [
      { part: old, release: releaseOf(active.id, false) },
      { part: fresh, release: releaseOf(row.id, true) },
    ],
  }
}

function policyLists({ api, routes }: RevisionPart) {
  return [api.policies, ...routes.map(({ policies }) => policies)]
}

function toRow(parts: DeployParts, { active }: LiveDeployments): Deployment {
  const { call, revision, environment, reason, strategy = 'direct', canary, approved } = parts
  const { control, workspace, actor } = call
  const nowMs = control.clock.now()
  const plan: KeptPlan = { canary, step: 0, stepAtMs: nowMs }
  const now = { plan: JSON.stringify(canary === undefined ? {} : plan), previous_id: active?.id ?? '' }
  if (approved !== undefined) {
    return { ...approved, ...now, approved_by: actor.id, version: approved.version + 1, updated_at_ms: nowMs }
  }
  return {
    id: control.newId('deployment'),
    workspace_id: workspace.id,
    environment,
    api_id: revision.api_id,
    version_id: revision.version_id,
    revision_id: revision.id,
    ...now,
    strategy,
    state: 'active',
    percent: 100,
    reason,
    created_by: actor.id,
    author_id: personBehind(actor),
    approved_by: '',
    expires_at_ms: null,
    version: 1,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  }
}

async function save({ db }: Write, row: Deployment, approved: Deployment | undefined): Promise<void> {
  if (approved === undefined) await db.insertInto('deployments').values(row).execute()
  else await db.updateTable('deployments').set(row).where('id', '=', row.id).execute()
}

/** Takes a version out of an environment; its deployments stay as history. */
export async function undeploy(
  { control, workspace }: { readonly control: Control; readonly workspace: WorkspaceRef },
  write: Write,
  active: Deployment,
  names: { readonly api: string; readonly version: string },
): Promise<void> {
  const { environment, version_id: versionId } = active
  if (await needsApproval(write.db, environment)) checkGuarded(write, environment)
  const place: VersionPlace = { environment, workspace, versionId, ...names }
  const { beside } = await findLive(write, versionId, environment)
  for (const row of beside === undefined ? [active] : [active, beside]) {
    noteDeployment(write, place, row, await supersede(write, row, control.clock.now()))
  }
  await publishParts(write, place, [])
}

function supersede(write: Write, row: Deployment, nowMs: number): Promise<Deployment> {
  return changeDeployment(write, row, nowMs, { state: 'superseded', percent: 0 })
}

function toPlaceOf({ call, environment, revision, api, version }: DeployParts): VersionPlace {
  return { environment, workspace: call.workspace, versionId: revision.version_id, api, version }
}
