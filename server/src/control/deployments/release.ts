/**
 * What becomes of a deployment that stands beside another: more callers, all of them, none. Everything is done with the
 * lines that the gateways have already, so nothing is compiled and nothing can fail to compile.
 */
import { defineProblem } from '../../kernel/problem.ts'
import { refuse } from '../control-error.ts'
import type { WorkspaceRef, Write } from '../define-route.ts'
import {
  changeDeployment,
  findLive,
  noteDeployment,
  toPlace,
  type Deployment,
  type NamedDeployment,
} from './deployment-store.ts'
import { readPlan } from './release-plan.ts'
import { letTry, publishParts, readParts, shareOut, type VersionPlace } from './version-lines.ts'

export const wrongState = defineProblem({
  code: 'deployment.wrong_state',
  status: 409,
  title: 'The deployment is not in a state for this',
  blame: 'caller',
  remedy: 'Look at the state of the deployment; the answer names the one that it is in.',
})

export interface ReleaseParts {
  readonly write: Write
  readonly workspace: WorkspaceRef
  readonly nowMs: number
  /** The one beside the active one. */
  readonly fresh: NamedDeployment
}

interface Pair {
  readonly place: VersionPlace
  readonly active: Deployment
}

/** Gives it so much of the callers; with 100 it alone is left. */
export async function promote(parts: ReleaseParts, percent: number, reason?: string): Promise<NamedDeployment> {
  const { write, fresh, nowMs } = parts
  const { place, active } = await pairOf(parts)
  if (percent === 100) return finish(parts, reason)
  if (fresh.state !== 'progressing') refuse(wrongState({ detail: 'Only a canary takes a share of the callers.' }))
  const plan = readPlan(fresh)
  const step = Math.max(0, plan.canary?.steps.findLastIndex((each) => each.percent <= percent) ?? 0)
  const kept = JSON.stringify({ ...plan, step, stepAtMs: nowMs })
  await shareOut(write, place, fresh.id, percent)
  await changeDeployment(write, active, nowMs, { percent: 100 - percent })
  const after = await changeDeployment(write, fresh, nowMs, { percent, plan: kept, reason: reason ?? fresh.reason })
  noteDeployment(write, place, fresh, after)
  return after
}

/** Takes it out again; the active one has all callers as before. */
export async function withdraw(
  parts: ReleaseParts,
  state: 'aborted' | 'rolled-back',
  reason: string,
): Promise<NamedDeployment> {
  const { write, fresh, nowMs } = parts
  const { place, active } = await pairOf(parts)
  await leaveAlone(write, place, active)
  await changeDeployment(write, active, nowMs, { percent: 100 })
  const after = await changeDeployment(write, fresh, nowMs, { state, percent: 0, reason })
  noteDeployment(write, place, fresh, after)
  return after
}

/** Ends one that awaits approval. */
export async function takeBack({ write, workspace, fresh, nowMs }: ReleaseParts, reason: string, state: string) {
  if (fresh.state !== 'awaiting-approval') refuse(wrongState({ detail: `It is ${fresh.state}.` }))
  const after = await changeDeployment(write, fresh, nowMs, { state, reason })
  noteDeployment(write, toPlace(workspace, fresh), fresh, after)
  return after
}

/** It serves everybody, and what served stands ready instead. */
export async function switchOver(parts: ReleaseParts, reason?: string): Promise<NamedDeployment> {
  const { write, fresh, nowMs } = parts
  const { place, active } = await pairOf(parts)
  if (fresh.state !== 'standby') refuse(wrongState({ detail: `It is ${fresh.state}.` }))
  await shareOut(write, place, fresh.id, 100)
  await changeDeployment(write, active, nowMs, { state: 'standby', percent: 0 })
  const changes = { state: 'active', percent: 100, previous_id: active.id, reason: reason ?? fresh.reason }
  const after = await changeDeployment(write, fresh, nowMs, changes)
  noteDeployment(write, place, fresh, after)
  return after
}

/** Lets whoever has a token of this hash try it; the token before it is void. */
export async function letPreview(parts: ReleaseParts, tokenHash: string): Promise<void> {
  const { write, fresh } = parts
  const { place } = await pairOf(parts)
  await letTry(write, place, fresh.id, tokenHash)
  const name = `${place.api} ${place.version}`
  write.note({ kind: 'deployment', id: fresh.id, name, after: { preview: 'new token' } })
}

async function finish({ write, fresh, nowMs, ...rest }: ReleaseParts, reason?: string): Promise<NamedDeployment> {
  const { place, active } = await pairOf({ write, fresh, nowMs, ...rest })
  await leaveAlone(write, place, fresh)
  await changeDeployment(write, active, nowMs, { state: 'superseded', percent: 0 })
  const changes = { state: 'active', percent: 100, previous_id: active.id, reason: reason ?? fresh.reason }
  const after = await changeDeployment(write, fresh, nowMs, changes)
  noteDeployment(write, place, fresh, after)
  return after
}

async function leaveAlone(write: Write, place: VersionPlace, { id }: Deployment): Promise<void> {
  const part = (await readParts(write.db, place)).get(id)
  if (part === undefined) throw new Error(`the lines of ${id} are missing`)
  await publishParts(write, place, [{ part, release: undefined }])
}

/** Refuses unless it stands beside an active one. */
async function pairOf({ write, workspace, fresh }: ReleaseParts): Promise<Pair> {
  const place = toPlace(workspace, fresh)
  const { active, beside } = await findLive(write, fresh.version_id, fresh.environment)
  if (active !== undefined && beside?.id === fresh.id) return { place, active }
  return refuse(wrongState({ detail: `It is ${fresh.state}, and stands beside no other deployment.` }))
}
