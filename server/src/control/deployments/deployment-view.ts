/** A deployment as the admin API shows it. */
import { z } from 'zod'
import { toTime } from '../resources/resource-view.ts'
import { contentOf } from '../revisions/revision-store.ts'
import type { NamedDeployment } from './deployment-store.ts'
import { canaryPlan, readPlan } from './release-plan.ts'

const counted = z.strictObject({
  deployment: z.string(),
  requests: z.int(),
  errors: z.int().meta({ description: 'Answers from 500 on.' }),
  p99Ms: z.number().meta({ description: 'To 5 percent.' }),
})

export const deploymentView = z.strictObject({
  id: z.string(),
  environment: z.string(),
  api: z.string(),
  version: z.string(),
  revision: z.int(),
  strategy: z.string(),
  state: z.string(),
  percent: z.int().meta({ description: 'Share of the callers that get it.' }),
  reason: z.string().meta({ description: 'Why it is in this state.' }),
  previous: z.string().meta({ description: 'Id of the deployment that it replaced; empty for the first.' }),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  plan: z
    .strictObject({ ...canaryPlan.shape, step: z.int(), stepAt: z.iso.datetime() })
    .optional()
    .meta({ description: 'Of a canary, and which step it is at, from 0.' }),
  approvedBy: z.string().optional(),
  approvableUntil: z.iso.datetime().optional(),
  counts: z
    .strictObject({ fresh: counted, old: counted })
    .optional()
    .meta({ description: 'What a canary is judged by: both revisions in the same time.' }),
  shows: z.literal('live'),
})

export function toDeploymentView(row: NamedDeployment): z.input<typeof deploymentView> {
  const { api, version } = contentOf({ id: row.revision_id, content: row.content })
  const { canary, step, stepAtMs } = readPlan(row)
  return {
    id: row.id,
    environment: row.environment,
    api,
    version,
    revision: row.number,
    strategy: row.strategy,
    state: row.state,
    percent: row.percent,
    reason: row.reason,
    previous: row.previous_id,
    createdAt: toTime(row.created_at_ms),
    createdBy: row.created_by,
    ...(canary === undefined ? {} : { plan: { ...canary, step, stepAt: toTime(stepAtMs) } }),
    ...(row.approved_by === '' ? {} : { approvedBy: row.approved_by }),
    ...(row.state === 'awaiting-approval' ? { approvableUntil: toTime(row.expires_at_ms ?? 0) } : {}),
    shows: 'live',
  }
}
