/** The end of an environment, with all that must not come back with a new one of its name. */
import { z } from 'zod'
import { refuse } from '../control-error.ts'
import { LIVE_STATES } from '../deployments/deployment-store.ts'
import { defineRoute, type Call, type Write } from '../define-route.ts'
import { inUse } from '../problems.ts'
import { checkVersion } from '../resources/resource-store.ts'
import { checkUnguards } from './environment-routes.ts'
import { forgetUnusedSecrets } from './gateway-settings.ts'
import { readEnvironment } from './read-environment.ts'

export const removeEnvironment = defineRoute({
  id: 'removeEnvironment',
  method: 'DELETE',
  path: '/environments/{environment}',
  tag: 'environments',
  summary:
    'Removes an environment in which nothing is deployed and that nothing is for alone; its gateways get no more configuration.',
  permission: 'environments.write',
  effect: 'remove',
  params: z.strictObject({ environment: z.string().max(100) }),
  async handle(call) {
    return call.write(async (write): Promise<{ status: number }> => {
      const before = await readEnvironment(write.db, call.params.environment)
      checkVersion(before, call.expectedVersion)
      checkUnguards(call.actor, before)
      if (before.is_default === 1) refuse(inUse({ detail: 'The default environment stays.' }))
      const live = await write.db
        .selectFrom('deployments')
        .select(['id', 'state'])
        .where('environment', '=', before.name)
        .where('state', 'in', [...LIVE_STATES, 'awaiting-approval'])
        .executeTakeFirst()
      if (live !== undefined) refuse(inUse({ detail: `The deployment ${live.id} to it is ${live.state}.` }))
      await checkNothingIsForIt(write.db, before.name)
      await dismissGateways(call, write, before.name)
      await write.db.deleteFrom('snapshot_lines').where('environment', '=', before.name).execute()
      await write.db.deleteFrom('environments').where('id', '=', before.id).execute()
      await forgetUnusedSecrets(write)
      write.note({ kind: 'environment', id: before.id, name: before.name })
      return { status: 204 }
    })
  },
})

/** What is for it alone would come back, keys and certificates included, with a new environment of its name. */
async function checkNothingIsForIt(db: Call['db'], name: string): Promise<void> {
  const left = await db
    .selectFrom('resources')
    .innerJoin('workspaces', 'workspaces.id', 'resources.workspace_id')
    .select(['resources.kind', 'resources.name', 'workspaces.name as workspace'])
    .where('resources.environment', '=', name)
    .executeTakeFirst()
  if (left === undefined) return
  const detail = `The ${left.kind} ${left.name} of the workspace ${left.workspace} is for it alone. Remove that first.`
  refuse(inUse({ detail }))
}

/** Else they would be those of a new environment of its name, whoever let them in, and run what this one had. */
async function dismissGateways({ control }: Pick<Call, 'control'>, write: Write, name: string): Promise<void> {
  const nowMs = control.clock.now()
  const gone = await write.db
    .updateTable('gateways')
    .set({ revoked_at_ms: nowMs, updated_at_ms: nowMs })
    .where('environment', '=', name)
    .where('revoked_at_ms', 'is', null)
    .returning(['id', 'name'])
    .execute()
  for (const gateway of gone) write.note({ kind: 'gateway', ...gateway, after: { revoked: 'with its environment' } })
  await write.db.deleteFrom('join_tokens').where('environment', '=', name).execute()
}
