/** Takes a version to the state of its life that a document says, by the same steps and checks as people do. */
import { lifecycle } from '../../config/schema/api.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { readLifecycle, stateOf, toSettings } from '../lifecycle/lifecycle-store.ts'
import { moveVersion, writeStep } from '../lifecycle/move-version.ts'
import { checkReadiness, type Step } from '../lifecycle/transitions.ts'
import type { VersionRow } from '../versions/version-store.ts'
import { tell, type ApplyContext } from './apply-context.ts'
import { isSame, listChanges } from './document-changes.ts'

/** A version that was never served begins wherever the document says. */
export async function applyLifecycle(
  context: ApplyContext,
  version: VersionRow,
  desired: JsonObject | undefined,
): Promise<void> {
  if (desired === undefined) return
  const { call, write } = context
  const step = toStep(desired, context.source)
  const row = await readLifecycle(write.db, version.row.id)
  const before = (row === undefined ? undefined : toSettings(row)) ?? { state: stateOf(row) }
  const wanted = toSettings({ ...toRow(step), version_id: version.row.id }) ?? { state: step.to }
  if (isSame(before, wanted)) return
  if (stateOf(row) === 'design') {
    await checkReadiness(write.db, call.control, version, step.to)
    await writeStep(call, write, version, row, step)
  } else await moveVersion(call, write, version, step)
  const name = `${version.api.name} ${version.row.name}`
  tell(context, 'lifecycle', name, 'changed', listChanges(before, wanted))
}

function toStep(desired: JsonObject, source: string): Step {
  const { state, deprecatedAt, sunsetAt, link = '', successor = '' } = lifecycle.parse(desired)
  return {
    to: state,
    deprecatedAtMs: deprecatedAt === undefined ? null : Date.parse(deprecatedAt),
    sunsetAtMs: sunsetAt === undefined ? null : Date.parse(sunsetAt),
    link,
    successor,
    reason: `applied by ${source}`,
    isForced: false,
  }
}

function toRow({ to, deprecatedAtMs, sunsetAtMs, link, successor, reason }: Step) {
  const dates = { deprecated_at_ms: deprecatedAtMs, sunset_at_ms: sunsetAtMs, link, successor }
  return { state: to, ...dates, reason, changed_by: '', version: 0, created_at_ms: 0, updated_at_ms: 0 }
}
