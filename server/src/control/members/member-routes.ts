/** Who has which role where: in a workspace, or everywhere. Nobody gives what they do not have themselves. */
import type { ExpressionBuilder, Kysely } from 'kysely'
import { z } from 'zod'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import { defineRoute, type Call, type WorkspaceRef, type Write } from '../define-route.ts'
import { invalid, notFound, taken } from '../problems.ts'
import { getTeam } from '../teams/team-routes.ts'
import { getUser, keepOwner } from '../users/user-routes.ts'
import { checkGift } from './check-gift.ts'

const view = z.strictObject({
  id: z.string(),
  userId: z.string().optional(),
  email: z.string().optional(),
  team: z.string().optional(),
  source: z.string().meta({ description: '`oidc:<provider>` when a group of that provider gives it.' }),
  role: z.string(),
  workspace: z.string().meta({ description: 'Empty: everywhere.' }),
})

const body = z.strictObject({
  userId: z.string().max(100).optional(),
  team: z.string().max(100).optional().meta({ description: 'Name of a team of the workspace, instead of an account.' }),
  role: z.string().max(100),
})

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
      summary: `Gives an account or a team a role in ${place}.`,
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
  const { subject, name, shown } = await toSubject(write.db, workspace, given)
  await checkGift(write.db, call.actor, given.role, workspace.id)
  const binding = { subject, workspace_id: workspace.id, role: given.role }
  const known = await write.db
    .selectFrom('bindings')
    .select('id')
    .where('subject', '=', subject)
    .where('workspace_id', '=', workspace.id)
    .where('role', '=', given.role)
    .executeTakeFirst()
  if (known !== undefined) refuse(taken({ detail: `${name} has this role already.` }))
  const id = control.newId('binding')
  await write.db
    .insertInto('bindings')
    .values({ id, ...binding, source: '', created_at_ms: control.clock.now() })
    .execute()
  write.note({ kind: 'member', id, name, after: { role: given.role } })
  return { id, ...shown, role: given.role, workspace: workspace.name, source: '' }
}

/** Either an account or a team of the workspace. */
async function toSubject(db: Kysely<Tables>, workspace: WorkspaceRef, { userId, team }: z.output<typeof body>) {
  if (userId !== undefined && team === undefined) {
    const { id, email } = await getUser(db, userId)
    return { subject: `user:${id}`, name: email, shown: { userId: id, email } }
  }
  if (team !== undefined && userId === undefined && workspace.id !== '') {
    const { id, name } = await getTeam(db, workspace.id, team)
    return { subject: `team:${id}`, name: `team ${name}`, shown: { team: name } }
  }
  const detail =
    workspace.id === '' ? 'A role in the whole installation is given to a userId.' : 'Either userId or team.'
  return refuse(invalid({ detail }))
}

async function listMembers(db: Kysely<Tables>, workspaceId: string, workspace: string) {
  const rows = await db
    .selectFrom('bindings')
    .leftJoin('users', (join) => join.on((on) => on(toIdOf(on), '=', on.ref('users.id'))))
    .leftJoin('teams', (join) => join.on((on) => on(toIdOf(on), '=', on.ref('teams.id'))))
    .select(['bindings.id', 'bindings.role', 'bindings.source'])
    .select(['users.id as userId', 'users.email', 'teams.name as team'])
    .where('bindings.workspace_id', '=', workspaceId)
    .orderBy('bindings.id')
    .execute()
  return rows.map(({ id, role, source, userId, email, team }) => ({
    id,
    role,
    source,
    workspace,
    ...(userId === null || email === null ? {} : { userId, email }),
    ...(team === null ? {} : { team }),
  }))
}

/** The id in `user:<id>` and in `team:<id>`. */
function toIdOf(expression: ExpressionBuilder<Tables, 'bindings'>) {
  return expression.fn<string>('substr', ['bindings.subject', expression.val('user:'.length + 1)])
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
  await keepOwner(db, () => db.deleteFrom('bindings').where('id', '=', id).execute())
}
