/** Approving a deployment, or rejecting it: by any person who may, but for whoever wants it. */
import { z } from 'zod'
import { defineProblem } from '../../kernel/problem.ts'
import { defineRoute } from '../define-route.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import { personBehind, type Actor } from '../actor.ts'
import { outsidePlaces } from '../environments/places.ts'
import { compileAhead } from '../versions/compile-ahead.ts'
import { missingUpstream } from './check-upstreams.ts'
import { deploy, inProgress } from './deploy.ts'
import { findActive, getDeployment, type NamedDeployment } from './deployment-store.ts'
import { deploymentView, toDeploymentView } from './deployment-view.ts'
import { readPlan, strategy } from './release-plan.ts'
import { takeBack, wrongState } from './release.ts'
import { routeTaken } from './route-claims.ts'

export const ownDeployment = defineProblem({
  code: 'deployment.own',
  status: 403,
  title: 'Nobody approves their own deployment',
  blame: 'caller',
  remedy: 'Ask somebody else who has the permission `deployments.approve`.',
})

export const personNeeded = defineProblem({
  code: 'deployment.person_needed',
  status: 403,
  title: 'Only a person approves a deployment',
  blame: 'caller',
  remedy: 'Approve it signed in or with a token of your own account: that of a service has no second pair of eyes.',
})

export const outdated = defineProblem({
  code: 'deployment.outdated',
  status: 409,
  title: 'What was asked for is no longer what would happen',
  blame: 'caller',
  remedy: 'Deploy it again and ask for approval anew: it has expired, or something else went live since.',
})

const params = z.strictObject({ id: z.string().max(100) })
const path = '/workspaces/{workspace}/deployments/{id}'

export const approveDeployment = defineRoute({
  id: 'approveDeployment',
  method: 'POST',
  path: `${path}/approve`,
  tag: 'deployments',
  summary: 'Approves a deployment that awaits it: it goes live.',
  permission: 'deployments.approve',
  effect: 'action',
  params,
  body: z.strictObject({}),
  output: deploymentView,
  problems: [ownDeployment, personNeeded, outdated, wrongState, missingUpstream, outsidePlaces, routeTaken, inProgress],
  async handle(call) {
    const { control, workspace, actor } = call
    const asked = await getDeployment(call.db, workspace, call.params.id)
    checkAwaiting(control, actor, asked)
    const revision = await call.db
      .selectFrom('revisions')
      .selectAll()
      .where('id', '=', asked.revision_id)
      .executeTakeFirstOrThrow()
    const ahead = await compileAhead(call, revision)
    return call.write(async (write) => {
      const { number, content, ...approved } = await getDeployment(write.db, workspace, call.params.id)
      checkAwaiting(control, actor, { ...approved, number, content })
      const { environment, reason } = approved
      const active = await findActive(write, revision.version_id, environment)
      if ((active?.id ?? '') !== approved.previous_id) {
        refuse(outdated({ detail: `${active?.id ?? 'Nothing'} is live since it was asked for.` }))
      }
      const compiled = await ahead.asOf(write)
      const { api, version } = ahead.source
      const how = { strategy: strategy.parse(approved.strategy), canary: readPlan(approved).canary, approved }
      const after = await deploy({ call, write, environment, revision, compiled, api, version, reason, ...how })
      return { body: toDeploymentView({ ...after, number, content }), etag: after.version }
    })
  },
})

export const rejectDeployment = defineRoute({
  id: 'rejectDeployment',
  method: 'POST',
  path: `${path}/reject`,
  tag: 'deployments',
  summary: 'Rejects a deployment that awaits approval.',
  permission: 'deployments.approve',
  effect: 'action',
  params,
  body: z.strictObject({ reason: z.string().max(1000).default('') }),
  output: deploymentView,
  problems: [wrongState],
  async handle({ control, workspace, params: { id }, body, ...call }) {
    return call.write(async (write) => {
      const fresh = await getDeployment(write.db, workspace, id)
      const parts = { write, workspace, fresh, nowMs: control.clock.now() }
      const after = await takeBack(parts, body.reason, 'rejected')
      return { body: toDeploymentView(after), etag: after.version }
    })
  },
})

function checkAwaiting(control: Control, actor: Actor, row: NamedDeployment): void {
  if (row.state !== 'awaiting-approval') refuse(wrongState({ detail: `It is ${row.state}.` }))
  if (actor.token?.isOfService === true) refuse(personNeeded())
  // Not with what the author made for somebody else, either.
  if (row.author_id === personBehind(actor) || row.author_id === actor.token?.madeBy) refuse(ownDeployment())
  if ((row.expires_at_ms ?? 0) <= control.clock.now())
    refuse(outdated({ detail: 'The request for approval has expired.' }))
}
