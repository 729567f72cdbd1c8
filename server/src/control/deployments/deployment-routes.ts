/** Deployments: what is live where, and what was. */
import { z } from 'zod'
import { defineRoute } from '../define-route.ts'
import { refuse } from '../control-error.ts'
import { toEnvironmentName } from '../environments/environment-names.ts'
import { notFound } from '../problems.ts'
import { toTime } from '../resources/resource-view.ts'
import { contentOf, getRevision, sourceOf } from '../revisions/revision-store.ts'
import { compileVersion } from '../versions/compile-version.ts'
import { getVersion } from '../versions/version-store.ts'
import { deploy, type Deployment } from './deploy.ts'

export const deploymentView = z.strictObject({
  id: z.string(),
  environment: z.string(),
  api: z.string(),
  version: z.string(),
  revision: z.int(),
  strategy: z.string(),
  state: z.string(),
  percent: z.int().meta({ description: 'Share of the callers that get it.' }),
  reason: z.string(),
  previous: z.string().meta({ description: 'Id of the deployment that it replaced; empty for the first.' }),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  shows: z.literal('live'),
})

type Shown = Deployment & { readonly number: number; readonly content: string }

export function toDeploymentView(row: Shown): z.input<typeof deploymentView> {
  const { api, version } = contentOf({ id: row.revision_id, content: row.content })
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
    shows: 'live',
  }
}

export const createDeployment = defineRoute({
  id: 'deploy',
  method: 'POST',
  path: '/workspaces/{workspace}/deployments',
  tag: 'deployments',
  summary: 'Deploys a revision to an environment.',
  permission: 'deployments.write',
  effect: 'create',
  body: z.strictObject({
    api: z.string().max(200),
    version: z.string().max(200),
    revision: z.int().min(1).optional().meta({ description: 'Its number. Default: the latest.' }),
    environment: z.string().max(100).optional().meta({ description: 'Default: the default environment.' }),
    reason: z.string().max(1000).default(''),
  }),
  output: deploymentView,
  async handle(call) {
    const { control, workspace, body } = call
    const environment = await toEnvironmentName(call.db, body.environment)
    const { row } = await getVersion(call.db, workspace, body)
    const revision = await getRevision(call.db, row.id, body.revision)
    const compiled = await compileVersion(call.db, control, workspace, await sourceOf(call.db, revision))
    return call.write(async (write) => {
      const { api, version, reason } = body
      const deployment = await deploy({ call, write, environment, revision, compiled, api, version, reason })
      return {
        status: 201,
        body: toDeploymentView({ ...deployment, ...revisionFacts(revision) }),
        etag: deployment.version,
      }
    })
  },
})

export const listDeployments = defineRoute({
  id: 'listDeployments',
  method: 'GET',
  path: '/workspaces/{workspace}/deployments',
  tag: 'deployments',
  summary: 'Lists deployments, the latest first.',
  permission: 'deployments.read',
  effect: 'read',
  query: z.strictObject({
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: z.string().max(200).optional(),
    environment: z.string().max(100).optional(),
    state: z.string().max(40).optional(),
  }),
  output: z.strictObject({ items: z.array(deploymentView), next: z.string().optional() }),
  async handle({ db, workspace, query }) {
    let rows = db
      .selectFrom('deployments')
      .innerJoin('revisions', 'revisions.id', 'deployments.revision_id')
      .selectAll('deployments')
      .select(['revisions.number', 'revisions.content'])
      .where('deployments.workspace_id', '=', workspace.id)
    if (query.environment !== undefined) rows = rows.where('deployments.environment', '=', query.environment)
    if (query.state !== undefined) rows = rows.where('deployments.state', '=', query.state)
    // Ids grow with time.
    if (query.cursor !== undefined) rows = rows.where('deployments.id', '<', query.cursor)
    const found = await rows
      .orderBy('deployments.id', 'desc')
      .limit(query.limit + 1)
      .execute()
    const page = found.slice(0, query.limit)
    return {
      body: { items: page.map(toDeploymentView), next: found.length > page.length ? page.at(-1)?.id : undefined },
    }
  },
})

export const rollbackDeployment = defineRoute({
  id: 'rollback',
  method: 'POST',
  path: '/workspaces/{workspace}/deployments/{id}/rollback',
  tag: 'deployments',
  summary: 'Brings back what was live before a deployment.',
  permission: 'deployments.write',
  effect: 'action',
  params: z.strictObject({ id: z.string().max(100) }),
  body: z.strictObject({ reason: z.string().max(1000).default('') }),
  output: deploymentView,
  async handle(call) {
    const { control, workspace, params, body } = call
    const undone = await call.db
      .selectFrom('deployments')
      .selectAll()
      .where('id', '=', params.id)
      .where('workspace_id', '=', workspace.id)
      .executeTakeFirst()
    const previous = await call.db
      .selectFrom('deployments')
      .innerJoin('revisions', 'revisions.id', 'deployments.revision_id')
      .selectAll('revisions')
      .where('deployments.id', '=', undone?.previous_id ?? '')
      .executeTakeFirst()
    if (undone === undefined) return refuse(notFound({ detail: 'There is no such deployment.' }))
    if (previous === undefined) return refuse(notFound({ detail: 'Nothing was live before it.' }))
    const source = await sourceOf(call.db, previous)
    const compiled = await compileVersion(call.db, control, workspace, source)
    return call.write(async (write) => {
      const { environment } = undone
      const { api, version } = source
      const reason = body.reason === '' ? `rolls back ${undone.id}` : body.reason
      const deployment = await deploy({ call, write, environment, revision: previous, compiled, api, version, reason })
      return {
        status: 201,
        body: toDeploymentView({ ...deployment, ...revisionFacts(previous) }),
        etag: deployment.version,
      }
    })
  },
})

function revisionFacts({ number, content }: { readonly number: number; readonly content: string }) {
  return { number, content }
}
