/** Who has which role where: in a workspace, or everywhere. Nobody gives what they do not have themselves. */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Tables } from '../../db/tables.ts'
import { may, type Actor } from '../actor.ts'
import { refuse } from '../control-error.ts'
import { defineRoute, type Call, type Write } from '../define-route.ts'
import { forbidden, inUse, notFound, taken } from '../problems.ts'
import { permissionsOfRole } from '../users/user-grants.ts'
import { getUser } from '../users/user-routes.ts'

const view = z.strictObject({
  id: z.string(),
  userId: z.string(),
  email: z.string(),
  role: z.string(),
  workspace: z.string().meta({ description: 'Empty: everywhere.' }),
})

const body = z.strictObject({ userId: z.string().max(100), role: z.string().max(100) })

/** The same three operations for a workspace and for the installation. */
function memberRoutes(path: string, where: 'Workspace' | 'Installation') {
  const place = where === 'Workspace' ? 'a workspace' : 'the whole installation'
  const read = where === 'Workspace' ? ('members.read' as const) : ('users.read' as const)
  const write = where === 'Workspace' ? ('members.write' as const) : ('users.write' as const)
  return [
    defineRoute({
      id: `list${where}Members`,
      method: 'GET',
      path,
      tag: 'members',
      summary: `Lists who has a role in ${place}.`,
      permission: read,
      effect: 'read',
      output: z.strictObject({ items: z.array(view) }),
      async handle({ db, workspace }) {
        return { body: { items: await listMembers(db, workspace.id, workspace.name) } }
      },
    }),
    defineRoute({
      id: `add${where}Member`,
      method: 'POST',
      path,
      tag: 'members',
      summary: `Gives an account a role in ${place}.`,
      permission: write,
      effect: 'create',
      body,
      output: view,
      async handle(call) {
        return call.write(async (transaction) => ({ status: 201, body: await addMember(call, transaction) }))
      },
    }),
    defineRoute({
      id: `remove${where}Member`,
      method: 'POST',
      path: `${path}/{id}/remove`,
      tag: 'members',
      summary: `Takes a role in ${place} away.`,
      permission: write,
      effect: 'action',
      params: z.strictObject({ id: z.string().max(100) }),
      async handle(call) {
        return call.write(async (transaction): Promise<{ status: number }> => {
          await removeMember(transaction.db, call, call.params.id)
          transaction.note({ kind: 'member', id: call.params.id, name: call.workspace.name })
          return { status: 204 }
        })
      },
    }),
  ]
}

export const workspaceMemberRoutes = memberRoutes('/workspaces/{workspace}/members', 'Workspace')
export const installationMemberRoutes = memberRoutes('/members', 'Installation')

async function addMember(
  call: Call<unknown, unknown, z.output<typeof body>>,
  write: Write,
): Promise<z.input<typeof view>> {
  const { control, workspace, body: given } = call
  const user = await getUser(write.db, given.userId)
  await checkGift(write.db, call.actor, given.role, workspace.id)
  const binding = { subject: `user:${user.id}`, workspace_id: workspace.id, role: given.role }
  const known = await write.db
    .selectFrom('bindings')
    .select('id')
    .where('subject', '=', binding.subject)
    .where('workspace_id', '=', workspace.id)
    .where('role', '=', given.role)
    .executeTakeFirst()
  if (known !== undefined) refuse(taken({ detail: `${user.email} has this role already.` }))
  const id = control.newId('binding')
  await write.db
    .insertInto('bindings')
    .values({ id, ...binding, source: '', created_at_ms: control.clock.now() })
    .execute()
  write.note({ kind: 'member', id, name: user.email, after: { role: given.role } })
  return { id, userId: user.id, email: user.email, role: given.role, workspace: workspace.name }
}

async function listMembers(db: Kysely<Tables>, workspaceId: string, workspace: string) {
  const bindings = await db.selectFrom('bindings').selectAll().where('workspace_id', '=', workspaceId).execute()
  const ids = bindings.map(({ subject }) => subject.slice('user:'.length))
  const users =
    ids.length === 0 ? [] : await db.selectFrom('users').select(['id', 'email']).where('id', 'in', ids).execute()
  return bindings.flatMap(({ id, subject, role }) => {
    const user = users.find((each) => subject === `user:${each.id}`)
    return user === undefined ? [] : [{ id, userId: user.id, email: user.email, role, workspace }]
  })
}

/** A role is given by those who may do all that it permits, there where it is given. */
async function checkGift(db: Kysely<Tables>, actor: Actor, role: string, workspaceId: string): Promise<void> {
  const permissions = await permissionsOfRole(db, role, workspaceId)
  if (permissions === undefined) refuse(notFound({ detail: `There is no role ${JSON.stringify(role)} here.` }))
  const missing = permissions?.find((permission) => !may(actor, permission, workspaceId))
  if (missing !== undefined) refuse(forbidden({ detail: `You cannot give what you do not have: ${missing}.` }))
}

async function removeMember(db: Kysely<Tables>, { actor, workspace }: Call, id: string): Promise<void> {
  const row = await db
    .selectFrom('bindings')
    .selectAll()
    .where('id', '=', id)
    .where('workspace_id', '=', workspace.id)
    .executeTakeFirst()
  if (row === undefined) return refuse(notFound({ detail: 'There is no such membership here.' }))
  await checkGift(db, actor, row.role, workspace.id)
  await db.deleteFrom('bindings').where('id', '=', id).execute()
  if (row.role !== 'owner' || workspace.id !== '') return
  const owner = await db
    .selectFrom('bindings')
    .select('id')
    .where('role', '=', 'owner')
    .where('workspace_id', '=', '')
    .executeTakeFirst()
  if (owner === undefined) refuse(inUse({ detail: 'The last owner stays: make somebody else an owner first.' }))
}
