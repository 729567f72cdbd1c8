/** Nobody gives what they do not have: the one check behind roles, teams and identity providers. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { may, type Actor } from '../actor.ts'
import { refuse } from '../control-error.ts'
import { forbidden, notFound } from '../problems.ts'
import { permissionsOfRole } from '../users/user-grants.ts'

/** A role is given by those who may do all that it permits, there where it is given. */
export async function checkGift(db: Kysely<Tables>, actor: Actor, role: string, workspaceId: string): Promise<void> {
  const permissions = await permissionsOfRole(db, role, workspaceId)
  if (permissions === undefined) refuse(notFound({ detail: `There is no role ${JSON.stringify(role)} here.` }))
  const missing = permissions?.find((permission) => !may(actor, permission, workspaceId))
  if (missing !== undefined) refuse(forbidden({ detail: `You cannot give what you do not have: ${missing}.` }))
}

/** To put somebody into a team is to give them all of its roles. */
export async function checkTeamGift(db: Kysely<Tables>, actor: Actor, teamId: string): Promise<void> {
  const bindings = await db
    .selectFrom('bindings')
    .select(['role', 'workspace_id'])
    .where('subject', '=', `team:${teamId}`)
    .execute()
  for (const { role, workspace_id: workspaceId } of bindings) await checkGift(db, actor, role, workspaceId)
}
