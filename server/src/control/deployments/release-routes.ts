/** What is done with a deployment once it is there: promote, abort, switch, roll back. */
import { z } from 'zod'
import { PREVIEW_FIELD } from '../../kernel/snapshot.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { refuse } from '../control-error.ts'
import { outsidePlaces } from '../environments/places.ts'
import { notFound } from '../problems.ts'
import type { Revision } from '../revisions/revision-store.ts'
import { createSecretToken, hashToken } from '../tokens/secret-token.ts'
import { compileAhead } from '../versions/compile-ahead.ts'
import { missingUpstream } from './check-upstreams.ts'
import { deploy, inProgress } from './deploy.ts'
import { getDeployment, type NamedDeployment } from './deployment-store.ts'
import { deploymentView, toDeploymentView } from './deployment-view.ts'
import { letPreview, promote, switchOver, takeBack, withdraw, wrongState, type ReleaseParts } from './release.ts'
import { routeTaken } from './route-claims.ts'

const params = z.strictObject({ id: z.string().max(100) })
const reason = z.string().max(1000).optional()
const path = '/workspaces/{workspace}/deployments/{id}'
type OfDeployment = Pick<Call<z.output<typeof params>>, 'control' | 'workspace' | 'params' | 'write'>

/** Reads the deployment in the transaction, so that no step in between is undone. */
function change(call: OfDeployment, work: (parts: ReleaseParts) => Promise<NamedDeployment>) {
  const { control, workspace, params: wanted } = call
  return call.write(async (write) => {
    const fresh = await getDeployment(write.db, workspace, wanted.id)
    const after = await work({ write, workspace, nowMs: control.clock.now(), fresh })
    return { body: toDeploymentView(after), etag: after.version }
  })
}

export const promoteDeployment = defineRoute({
  id: 'promote',
  method: 'POST',
  path: `${path}/promote`,
  tag: 'deployments',
  summary: 'Gives a canary more of the callers, or a deployment that stands beside another all of them.',
  permission: 'deployments.write',
  effect: 'action',
  params,
  body: z.strictObject({
    percent: z
      .int()
      .min(1)
      .max(100)
      .default(100)
      .meta({ description: 'Share of the callers; 100 ends the other one.' }),
    reason,
  }),
  output: deploymentView,
  problems: [wrongState],
  handle: (call) => change(call, (parts) => promote(parts, call.body.percent, call.body.reason)),
})

export const abortDeployment = defineRoute({
  id: 'abort',
  method: 'POST',
  path: `${path}/abort`,
  tag: 'deployments',
  summary: 'Takes a deployment away that stands beside another or awaits approval; what serves goes on.',
  permission: 'deployments.write',
  effect: 'action',
  params,
  body: z.strictObject({ reason }),
  output: deploymentView,
  problems: [wrongState],
  handle: (call) =>
    change(call, (parts) => {
      const why = call.body.reason ?? ''
      if (parts.fresh.state === 'awaiting-approval') return takeBack(parts, why, 'aborted')
      return withdraw(parts, 'aborted', why)
    }),
})

export const switchDeployment = defineRoute({
  id: 'switch',
  method: 'POST',
  path: `${path}/switch`,
  tag: 'deployments',
  summary: 'Makes the one that stands ready serve everybody; what served stands ready, so the same call goes back.',
  permission: 'deployments.write',
  effect: 'action',
  params,
  body: z.strictObject({ reason }),
  output: deploymentView,
  problems: [wrongState],
  handle: (call) => change(call, (parts) => switchOver(parts, call.body.reason)),
})

export const previewDeployment = defineRoute({
  id: 'preview',
  method: 'POST',
  path: `${path}/preview`,
  tag: 'deployments',
  summary: 'Makes the token, shown once, with which requests get a deployment that stands beside another.',
  permission: 'deployments.write',
  effect: 'action',
  params,
  body: z.strictObject({}),
  output: z.strictObject({
    header: z.string().meta({ description: 'Name of the field that carries the token.' }),
    token: z.string().meta({ description: 'Counts until the deployment stands alone or is gone, or another is made.' }),
  }),
  problems: [wrongState],
  async handle(call) {
    const { control, workspace } = call
    const token = createSecretToken('preview')
    return call.write(async (write) => {
      const fresh = await getDeployment(write.db, workspace, call.params.id)
      await letPreview({ write, workspace, fresh, nowMs: control.clock.now() }, hashToken(token))
      return { status: 201, body: { header: PREVIEW_FIELD, token } }
    })
  },
})

export const rollbackDeployment = defineRoute({
  id: 'rollback',
  method: 'POST',
  path: `${path}/rollback`,
  tag: 'deployments',
  summary: 'Brings back what was live before a deployment.',
  permission: 'deployments.write',
  effect: 'action',
  params,
  body: z.strictObject({ reason: z.string().max(1000).default('') }),
  output: deploymentView,
  problems: [inProgress, wrongState, missingUpstream, outsidePlaces, routeTaken],
  async handle(call) {
    const { workspace, body } = call
    const undone = await getDeployment(call.db, workspace, call.params.id)
    // What went before still serves: it only has to be left alone.
    if (undone.state === 'progressing' || undone.state === 'standby') {
      return change(call, (parts) => withdraw(parts, 'rolled-back', body.reason))
    }
    const revision = await revisionBefore(call.db, undone)
    const ahead = await compileAhead(call, revision)
    return call.write(async (write) => {
      const { state, previous_id: previous } = await getDeployment(write.db, workspace, undone.id)
      // Only that of what serves needs no approval: anything older was taken out of service by somebody.
      const isUndo = state === 'active' && previous === undone.previous_id
      const compiled = await ahead.asOf(write)
      const { api, version } = ahead.source
      const why = body.reason === '' ? `rolls back ${undone.id}` : body.reason
      const parts = { call, write, environment: undone.environment, revision, compiled, api, version }
      const deployment = await deploy({ ...parts, reason: why, isUndo })
      const { number, content } = revision
      return { status: 201, body: toDeploymentView({ ...deployment, number, content }), etag: deployment.version }
    })
  },
})

/** Only what has been live has something before it that was live as well. */
async function revisionBefore(db: Call['db'], undone: NamedDeployment): Promise<Revision> {
  if (undone.state !== 'active' && undone.state !== 'superseded')
    refuse(wrongState({ detail: `It is ${undone.state}.` }))
  const previous = await db
    .selectFrom('deployments')
    .innerJoin('revisions', 'revisions.id', 'deployments.revision_id')
    .selectAll('revisions')
    .where('deployments.id', '=', undone.previous_id)
    .executeTakeFirst()
  return previous ?? refuse(notFound({ detail: 'Nothing was live before it.' }))
}
