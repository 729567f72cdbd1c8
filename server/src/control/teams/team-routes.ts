/** Teams of a workspace: people who get roles together. A role of a team (`control/members/`) is one of each member. */
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { TeamTable } from '../../db/people-tables.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import { defineRoute } from '../define-route.ts'
import { checkTeamGift } from '../members/check-gift.ts'
import { notFound, taken } from '../problems.ts'
import { checkVersion } from '../resources/resource-store.ts'
import { getUser } from '../users/user-routes.ts'

type Team = Selectable<TeamTable>

const path = '/workspaces/{workspace}/teams'
const params = z.strictObject({ name: z.string().max(200) })
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dots, dashes and underscores')
const title = z.string().max(200).default('')

const view = z.strictObject({ id: z.string(), name: z.string(), title: z.string(), revision: z.int() })
const memberView = z.strictObject({
  userId: z.string(),
  email: z.string(),
  source: z.string().meta({ description: '`oidc:<provider>` when a group of that provider put them in.' }),
})

function toView(row: Team): z.input<typeof view> {
  return { id: row.id, name: row.name, title: row.title, revision: row.version }
}

const listTeams = defineRoute({
  id: 'listTeams',
  method: 'GET',
  path,
  tag: 'teams',
  summary: 'Lists the teams.',
  permission: 'teams.read',
  effect: 'read',
  output: z.strictObject({ items: z.array(view) }),
  async handle({ db, workspace }) {
    const rows = await db
      .selectFrom('teams')
      .selectAll()
      .where('workspace_id', '=', workspace.id)
      .orderBy('name')
      .execute()
    return { body: { items: rows.map(toView) } }
  },
})

const createTeam = defineRoute({
  id: 'createTeam',
  method: 'POST',
  path,
  tag: 'teams',
  summary: 'Creates a team.',
  permission: 'teams.write',
  effect: 'create',
  body: z.strictObject({ name, title }),
  output: view,
  handle: (call) =>
    call.write(async (write) => {
      const { control, workspace, body } = call
      if ((await findTeam(write.db, workspace.id, body.name)) !== undefined) refuse(taken())
      const nowMs = control.clock.now()
      const changeable = { version: 1, created_at_ms: nowMs, updated_at_ms: nowMs }
      const row: Team = { id: control.newId('team'), workspace_id: workspace.id, ...body, ...changeable }
      await write.db.insertInto('teams').values(row).execute()
      write.note({ kind: 'team', id: row.id, name: row.name, after: body })
      return { status: 201, body: toView(row), etag: row.version }
    }),
})

const getTeamRoute = defineRoute({
  id: 'getTeam',
  method: 'GET',
  path: `${path}/{name}`,
  tag: 'teams',
  summary: 'Shows a team and who is in it.',
  permission: 'teams.read',
  effect: 'read',
  params,
  output: view.extend({ members: z.array(memberView) }),
  async handle(call) {
    const row = await getTeam(call.db, call.workspace.id, call.params.name)
    const members = await call.db
      .selectFrom('team_members')
      .innerJoin('users', 'users.id', 'team_members.user_id')
      .select(['users.id as userId', 'users.email', 'team_members.source'])
      .where('team_id', '=', row.id)
      .orderBy('users.email')
      .execute()
    return { body: { ...toView(row), members }, etag: row.version }
  },
})

const replaceTeam = defineRoute({
  id: 'replaceTeam',
  method: 'PUT',
  path: `${path}/{name}`,
  tag: 'teams',
  summary: 'Changes the title of a team.',
  permission: 'teams.write',
  effect: 'change',
  params,
  body: z.strictObject({ title }),
  output: view,
  handle: (call) =>
    call.write(async (write) => {
      const before = await getTeam(write.db, call.workspace.id, call.params.name)
      checkVersion(before, call.expectedVersion)
      const changes = { version: before.version + 1, updated_at_ms: call.control.clock.now() }
      const after: Team = { ...before, ...changes, title: call.body.title }
      await write.db.updateTable('teams').set(after).where('id', '=', before.id).execute()
      write.note({ kind: 'team', id: before.id, name: before.name, before: { title: before.title }, after: call.body })
      return { body: toView(after), etag: after.version }
    }),
})

const removeTeam = defineRoute({
  id: 'removeTeam',
  method: 'DELETE',
  path: `${path}/{name}`,
  tag: 'teams',
  summary: 'Removes a team, and with it what its members had through it.',
  permission: 'teams.write',
  effect: 'remove',
  params,
  handle: (call) =>
    call.write(async (write) => {
      const row = await getTeam(write.db, call.workspace.id, call.params.name)
      checkVersion(row, call.expectedVersion)
      await checkTeamGift(write.db, call.actor, row.id)
      await write.db.deleteFrom('bindings').where('subject', '=', `team:${row.id}`).execute()
      await write.db.deleteFrom('teams').where('id', '=', row.id).execute()
      write.note({ kind: 'team', id: row.id, name: row.name, before: { title: row.title } })
      return { status: 204 }
    }),
})

const addTeamMember = defineRoute({
  id: 'addTeamMember',
  method: 'POST',
  path: `${path}/{name}/members`,
  tag: 'teams',
  summary: 'Puts an account into a team, which gives it the roles of the team.',
  permission: 'teams.write',
  effect: 'create',
  params,
  body: z.strictObject({ userId: z.string().max(100) }),
  output: memberView,
  handle: (call) =>
    call.write(async (write) => {
      const team = await getTeam(write.db, call.workspace.id, call.params.name)
      const user = await getUser(write.db, call.body.userId)
      await checkTeamGift(write.db, call.actor, team.id)
      const row = { team_id: team.id, user_id: user.id, source: '', created_at_ms: call.control.clock.now() }
      const { numInsertedOrUpdatedRows } = await write.db
        .insertInto('team_members')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      if (numInsertedOrUpdatedRows !== 1n) refuse(taken({ detail: `${user.email} is in this team already.` }))
      write.note({ kind: 'team', id: team.id, name: team.name, after: { added: user.email } })
      return { status: 201, body: { userId: user.id, email: user.email, source: '' } }
    }),
})

const removeTeamMember = defineRoute({
  id: 'removeTeamMember',
  method: 'POST',
  path: `${path}/{name}/members/{user}/remove`,
  tag: 'teams',
  summary: 'Takes an account out of a team.',
  permission: 'teams.write',
  effect: 'action',
  params: params.extend({ user: z.string().max(100) }),
  handle: (call) =>
    call.write(async (write) => {
      const team = await getTeam(write.db, call.workspace.id, call.params.name)
      await checkTeamGift(write.db, call.actor, team.id)
      const { numDeletedRows } = await write.db
        .deleteFrom('team_members')
        .where('team_id', '=', team.id)
        .where('user_id', '=', call.params.user)
        .executeTakeFirst()
      if (numDeletedRows !== 1n) refuse(notFound({ detail: 'This account is not in the team.' }))
      write.note({ kind: 'team', id: team.id, name: team.name, after: { removed: call.params.user } })
      return { status: 204 }
    }),
})

export const teamRoutes = [
  listTeams,
  createTeam,
  getTeamRoute,
  replaceTeam,
  removeTeam,
  addTeamMember,
  removeTeamMember,
]

export function findTeam(db: Kysely<Tables>, workspaceId: string, team: string): Promise<Team | undefined> {
  return db
    .selectFrom('teams')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('name', '=', team)
    .executeTakeFirst()
}

/** The team; refuses with 404 when there is none. */
export async function getTeam(db: Kysely<Tables>, workspaceId: string, team: string): Promise<Team> {
  const row = await findTeam(db, workspaceId, team)
  return row ?? refuse(notFound({ detail: `There is no team ${JSON.stringify(team)}.` }))
}
