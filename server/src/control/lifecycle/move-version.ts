/** Takes a version from one state of its life to another, live at once wherever it is deployed. */
import type { JsonObject } from '../../kernel/json.ts'
import type { Call, Write } from '../define-route.ts'
import { redeployVersion } from '../deployments/redeploy.ts'
import type { VersionRow } from '../versions/version-store.ts'
import { readLifecycle, toSettings, writeLifecycle, type LifecycleRow } from './lifecycle-store.ts'
import { checkStep, type Step } from './transitions.ts'

/** Checks the step, writes it, and compiles what is live anew. */
export async function moveVersion(
  call: Pick<Call, 'control' | 'actor' | 'workspace'>,
  write: Write,
  version: VersionRow,
  step: Step,
): Promise<LifecycleRow> {
  const before = await readLifecycle(write.db, version.row.id)
  await checkStep(write.db, call.control, version, before, step)
  return writeStep(call, write, version, before, step)
}

/** As `moveVersion`, for a step that was checked. */
export async function writeStep(
  call: Pick<Call, 'control' | 'actor' | 'workspace'>,
  write: Write,
  { api, row }: VersionRow,
  before: LifecycleRow | undefined,
  step: Step,
): Promise<LifecycleRow> {
  const { control, actor } = call
  const facts = {
    state: step.to,
    deprecated_at_ms: step.deprecatedAtMs,
    sunset_at_ms: step.sunsetAtMs,
    link: step.link,
    successor: step.successor,
    reason: step.reason,
    changed_by: actor.id,
  }
  const after = await writeLifecycle(write, row.id, before, facts, control.clock.now())
  await redeployVersion(call, write, row.id)
  write.note({
    kind: 'lifecycle',
    id: row.id,
    name: `${api.name} ${row.name}`,
    before: toNote(before),
    after: { ...toNote(after), ...(step.isForced ? { forced: true } : {}) },
  })
  return after
}

function toNote(row: LifecycleRow | undefined): JsonObject {
  if (row === undefined) return { state: 'design' }
  return { state: row.state, ...toSettings(row), reason: row.reason }
}
