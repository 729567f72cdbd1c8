/** What a workspace gives to all its APIs. */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import { policyList } from '../../config/schema/policy-entry.ts'
import type { JsonValue } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import type { WorkspaceRef } from '../define-route.ts'

/** What a document has to fulfil before it is published. */
export const reviewSettings = {
  lint: z
    .strictObject({
      ruleset: z.string().min(1).max(1_048_576).optional().meta({
        title: 'Ruleset',
        description: 'Text of a ruleset in the format of Spectral, YAML or JSON. Default: the built-in rules.',
      }),
      refuseAt: z.enum(['error', 'warn', 'off']).default('off').meta({
        title: 'Refuse at',
        description: 'Least severity of a finding that refuses publishing; with `off` findings are only reported.',
      }),
    })
    .prefault({})
    .meta({ title: 'Lint', description: 'Rules that OpenAPI documents are held against when they are published.' }),
  breakingChanges: z.enum(['report', 'refuse']).default('report').meta({
    title: 'Breaking changes',
    description:
      'Whether a change within one version that breaks callers is refused, unless `allowBreaking` gives a reason.',
  }),
}

export const workspaceSettings = z.strictObject({
  policies: policyList('Run for every request to an API of the workspace, before all others.'),
  ...reviewSettings,
})

const review = z.object(reviewSettings)

export interface WorkspaceSettings extends z.output<typeof review> {
  /** Entries of a policy list, as they were written. */
  readonly policies: JsonValue[]
}

export async function readWorkspaceSettings(db: Kysely<Tables>, { id }: WorkspaceRef): Promise<WorkspaceSettings> {
  const row = await db.selectFrom('workspaces').select('settings').where('id', '=', id).executeTakeFirstOrThrow()
  // Written after the check by the schema above.
  const { policies = [], ...rest } = JSON.parse(row.settings) as Partial<WorkspaceSettings>
  return { policies, ...review.parse(rest) }
}
