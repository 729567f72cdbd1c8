/** The steps of a version's life: which follow each other, and what is checked before each. */
import type { Kysely } from 'kysely'
import { defineProblem } from '../../kernel/problem.ts'
import type { Tables } from '../../db/tables.ts'
import { listCallers, QUIET_DAYS } from '../callers/caller-store.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import { LIVE_STATES } from '../deployments/deployment-store.ts'
import { latestRevision, sourceOf } from '../revisions/revision-store.ts'
import { checkVersionAtOnce, type VersionSource } from '../versions/compile-version.ts'
import { draftOf, readBlob, type VersionRow } from '../versions/version-store.ts'
import { stateOf, type LifecycleRow, type LifecycleState } from './lifecycle-store.ts'

export const noSuchStep = defineProblem({
  code: 'lifecycle.no_such_step',
  status: 409,
  title: 'No step of its life leads there',
  blame: 'caller',
  remedy: 'Take the steps between first; the answer names the states that can follow.',
})
export const notReady = defineProblem({
  code: 'lifecycle.not_ready',
  status: 409,
  title: 'The version is not ready for this state',
  blame: 'caller',
  remedy: 'Do first what the answer names, then ask for the step again.',
})
export const tooEarly = defineProblem({
  code: 'lifecycle.too_early',
  status: 409,
  title: 'The sunset date has not come',
  blame: 'caller',
  remedy: 'Wait for the date that callers were told, or retire it with `force` and a `reason`, which the audit keeps.',
})
export const stillCalled = defineProblem({
  code: 'lifecycle.still_called',
  status: 409,
  title: 'The version is still called',
  blame: 'caller',
  remedy:
    'Have the callers that the answer names move over, or retire it with `force` and a `reason`, which the audit keeps.',
})
export const lifecycleProblems = [noSuchStep, notReady, tooEarly, stillCalled]

/** What can follow each state. A deprecation may be announced again with other dates, and everything can be taken back. */
const STEPS: Readonly<Record<LifecycleState, readonly LifecycleState[]>> = {
  design: ['mock', 'published'],
  mock: ['design', 'published'],
  published: ['deprecated'],
  deprecated: ['deprecated', 'published', 'retired'],
  retired: ['deprecated', 'published'],
}

export interface Step {
  readonly to: LifecycleState
  readonly deprecatedAtMs: number | null
  readonly sunsetAtMs: number | null
  readonly link: string
  readonly successor: string
  readonly reason: string
  /** Skips what protects the callers of a version that is retired. */
  readonly isForced: boolean
}

/** Refuses a step that does not follow, or whose checks do not pass. */
export async function checkStep(
  db: Kysely<Tables>,
  control: Control,
  version: VersionRow,
  before: LifecycleRow | undefined,
  step: Step,
): Promise<void> {
  const from = stateOf(before)
  const next = STEPS[from]
  if (!next.includes(step.to) && !(step.to === 'retired' && from === 'published' && step.isForced)) {
    refuse(noSuchStep({ detail: `It is in the state ${from}; what can follow is ${next.join(', ')}.` }))
  }
  await checkReadiness(db, control, version, step.to)
  if (step.to === 'retired' && !step.isForced) await checkCallers(db, control, version, before)
}

/** What a state asks for, from wherever a version comes to it. */
export async function checkReadiness(
  db: Kysely<Tables>,
  control: Control,
  version: VersionRow,
  to: LifecycleState,
): Promise<void> {
  if (to === 'design') await checkUnserved(db, version)
  if (to === 'mock') checkVersionAtOnce(control, { ...(await mockedSource(db, version)), lifecycle: { state: 'mock' } })
  if (to === 'published') {
    const revision = await latestRevision(db, version.row.id)
    if (revision === undefined) refuse(notReady({ detail: 'It has no revision. Publish its draft first.' }))
    else checkVersionAtOnce(control, await sourceOf(db, revision))
  }
}

async function checkUnserved(db: Kysely<Tables>, { row }: VersionRow): Promise<void> {
  const live = await db
    .selectFrom('deployments')
    .select('environment')
    .where('version_id', '=', row.id)
    .where('state', 'in', LIVE_STATES)
    .executeTakeFirst()
  if (live !== undefined) refuse(notReady({ detail: `It is served in ${live.environment}, and a design is not.` }))
}

/** What a mock would be made of: the last revision, or the draft where there is none yet. */
async function mockedSource(db: Kysely<Tables>, { api, row }: VersionRow): Promise<VersionSource> {
  const revision = await latestRevision(db, row.id)
  const source = revision === undefined ? undefined : await sourceOf(db, revision)
  const { settings, specHash } = draftOf(row)
  const spec = source === undefined && specHash !== undefined ? await readBlob(db, specHash) : source?.spec
  if (spec === undefined) {
    return refuse(notReady({ detail: 'It has no OpenAPI document, which a mock answers from.' }))
  }
  return source ?? { api: api.name, version: row.name, settings, spec }
}

async function checkCallers(
  db: Kysely<Tables>,
  control: Control,
  { row }: VersionRow,
  before: LifecycleRow | undefined,
): Promise<void> {
  const nowMs = control.clock.now()
  const sunsetMs = before?.sunset_at_ms ?? null
  if (sunsetMs === null) refuse(tooEarly({ detail: 'No sunset date was announced.' }))
  else if (nowMs < sunsetMs)
    refuse(tooEarly({ detail: `The sunset was announced for ${new Date(sunsetMs).toISOString()}.` }))
  const callers = await listCallers(db, row.id, { nowMs, days: QUIET_DAYS, limit: 6 })
  if (callers.length === 0) return
  const names = callers.slice(0, 5).map(({ consumer }) => (consumer === '' ? 'somebody without a key' : consumer))
  const more = callers.length > 5 ? ' and others' : ''
  refuse(stillCalled({ detail: `In the last ${QUIET_DAYS} days it was called by ${names.join(', ')}${more}.` }))
}
