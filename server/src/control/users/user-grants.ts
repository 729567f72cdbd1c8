/** What a user may: the permissions of the roles that they, or a team of theirs, have somewhere. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import type { Grant } from '../actor.ts'
import { builtInRole, isPermission, type Permission } from '../permissions.ts'

export async function grantsOfUser(db: Kysely<Tables>, userId: string): Promise<Grant[]> {
  const teams = await db.selectFrom('team_members').select('team_id').where('user_id', '=', userId).execute()
  const bindings = await db
    .selectFrom('bindings')
    .select(['workspace_id', 'role'])
    .where('subject', 'in', [`user:${userId}`, ...teams.map(({ team_id: id }) => `team:${id}`)])
    .execute()
  const own = bindings.map(({ role }) => role).filter((role) => builtInRole(role) === undefined)
  const rows =
    own.length === 0
      ? []
      : await db.selectFrom('roles').select(['name', 'workspace_id', 'permissions']).where('name', 'in', own).execute()
  return bindings.map(({ workspace_id: workspaceId, role }) => {
    // A role that was made in one workspace means nothing in another.
    const made = rows.find((row) => row.name === role && (row.workspace_id === '' || row.workspace_id === workspaceId))
    const permissions = builtInRole(role)?.permissions ?? readPermissions(made?.permissions ?? '[]')
    return { workspaceId, permissions: new Set(permissions) }
  })
}

/** What a role permits in a workspace; undefined when there is no such role there. */
export async function permissionsOfRole(
  db: Kysely<Tables>,
  role: string,
  workspaceId: string,
): Promise<readonly Permission[] | undefined> {
  const builtIn = builtInRole(role)
  if (builtIn !== undefined) return builtIn.permissions
  const row = await db
    .selectFrom('roles')
    .select('permissions')
    .where('name', '=', role)
    .where('workspace_id', 'in', ['', workspaceId])
    .executeTakeFirst()
  return row && readPermissions(row.permissions)
}

function readPermissions(text: string): Permission[] {
  const list: unknown = JSON.parse(text)
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string').filter(isPermission) : []
}
