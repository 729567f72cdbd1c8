/** What a workspace gives to all its APIs. */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import { policyList } from '../../config/schema/policy-entry.ts'
import type { JsonValue } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import type { WorkspaceRef } from '../define-route.ts'

export const workspaceSettings = z.strictObject({
  policies: policyList('Run for every request to an API of the workspace, before all others.'),
})

export interface WorkspaceSettings {
  /** Entries of a policy list, as they were written. */
  readonly policies: JsonValue[]
}

export async function readWorkspaceSettings(db: Kysely<Tables>, { id }: WorkspaceRef): Promise<WorkspaceSettings> {
  const row = await db.selectFrom('workspaces').select('settings').where('id', '=', id).executeTakeFirstOrThrow()
  // Written after the check by the schema above.
  return { policies: [], ...(JSON.parse(row.settings) as Partial<WorkspaceSettings>) }
}
