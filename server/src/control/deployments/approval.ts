/**
 * Approval of a deployment by somebody other than its author. It is for one revision, on top of what was live when it
 * was asked for, and only for a while: nobody approves what they have not seen.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import type { Write } from '../define-route.ts'
import { noteDeployment, type Deployment } from './deployment-store.ts'
import { readPlan } from './release-plan.ts'
import type { VersionPlace } from './version-lines.ts'

/** Three days. */
const APPROVAL_MS = 72 * 3_600_000

export async function needsApproval(db: Kysely<Tables>, environment: string): Promise<boolean> {
  const row = await db
    .selectFrom('environments')
    .select('needs_approval')
    .where('name', '=', environment)
    .executeTakeFirstOrThrow()
  return row.needs_approval === 1
}

/** Asking twice for the same by the same way is asking once. */
export async function askForApproval(write: Write, place: VersionPlace, wanted: Deployment): Promise<Deployment> {
  const waiting = await write.db
    .selectFrom('deployments')
    .selectAll()
    .where('version_id', '=', wanted.version_id)
    .where('environment', '=', wanted.environment)
    .where('state', '=', 'awaiting-approval')
    .where('revision_id', '=', wanted.revision_id)
    .where('strategy', '=', wanted.strategy)
    .where('author_id', '=', wanted.author_id)
    .where('previous_id', '=', wanted.previous_id)
    .where('expires_at_ms', '>', wanted.created_at_ms)
    .execute()
  const { canary } = readPlan(wanted)
  const known = waiting.find((row) => isDeepStrictEqual(readPlan(row).canary, canary))
  if (known !== undefined) {
    noteDeployment(write, place, known, known)
    return known
  }
  const expires = wanted.created_at_ms + APPROVAL_MS
  const row: Deployment = { ...wanted, state: 'awaiting-approval', percent: 0, expires_at_ms: expires }
  await write.db.insertInto('deployments').values(row).execute()
  noteDeployment(write, place, undefined, row)
  return row
}
