/** Deployments: what is live where, and what was. */
import { z } from 'zod'
import { defineRoute } from '../define-route.ts'
import { toEnvironmentName } from '../environments/environment-names.ts'
import { outsidePlaces } from '../environments/places.ts'
import { getRevision } from '../revisions/revision-store.ts'
import { compileAhead } from '../versions/compile-ahead.ts'
import { getVersion } from '../versions/version-store.ts'
import { sumCounts, type CountSum } from './deployment-counts.ts'
import { getDeployment, type NamedDeployment } from './deployment-store.ts'
import { deploymentView, toDeploymentView } from './deployment-view.ts'
import { missingUpstream } from './check-upstreams.ts'
import { deploy, inProgress } from './deploy.ts'
import { routeTaken } from './route-claims.ts'
import { canaryPlan, checkPlan, readPlan, strategy } from './release-plan.ts'

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
    strategy: strategy.default('direct').meta({
      description: 'At once; beside the old revision, then switched; or with a growing share of the callers.',
    }),
    plan: canaryPlan.optional().meta({ description: 'Of a canary: steps, bounds, and what tells callers apart.' }),
  }),
  output: deploymentView,
  problems: [missingUpstream, outsidePlaces, inProgress, routeTaken],
  async handle(call) {
    const { workspace, body } = call
    const canary = checkPlan(body.strategy, body.plan)
    const environment = await toEnvironmentName(call.db, body.environment)
    const { row } = await getVersion(call.db, workspace, body)
    const revision = await getRevision(call.db, row.id, body.revision)
    const ahead = await compileAhead(call, revision)
    return call.write(async (write) => {
      const compiled = await ahead.asOf(write)
      const { api, version, reason } = body
      const names = { api, version, reason, strategy: body.strategy, canary }
      const deployment = await deploy({ call, write, environment, revision, compiled, ...names })
      const { number, content } = revision
      return { status: 201, body: toDeploymentView({ ...deployment, number, content }), etag: deployment.version }
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

export const getDeploymentRoute = defineRoute({
  id: 'getDeployment',
  method: 'GET',
  path: '/workspaces/{workspace}/deployments/{id}',
  tag: 'deployments',
  summary: 'Shows a deployment; of a canary also what it is judged by.',
  permission: 'deployments.read',
  effect: 'read',
  params: z.strictObject({ id: z.string().max(100) }),
  output: deploymentView,
  async handle({ control, db, workspace, params }) {
    const row = await getDeployment(db, workspace, params.id)
    const { canary, stepAtMs } = readPlan(row)
    const view = toDeploymentView(row)
    if (canary === undefined || row.state !== 'progressing') return { body: view, etag: row.version }
    const sinceMs = Math.max(stepAtMs, control.clock.now() - canary.bounds.windowSeconds * 1000)
    const fresh = toCounted(row.id, await sumCounts(db, row.id, sinceMs))
    const old = toCounted(row.previous_id, await sumCounts(db, row.previous_id, sinceMs))
    return { body: { ...view, counts: { fresh, old } }, etag: row.version }
  },
})

function toCounted(deployment: NamedDeployment['id'], { requests, errors, latency }: CountSum) {
  return { deployment, requests, errors, p99Ms: latency.quantile(0.99) }
}
