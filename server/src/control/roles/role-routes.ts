/** Roles that people make, of a workspace or of the installation. Nobody puts into a role what they do not have themselves. */
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { RoleTable } from '../../db/people-tables.ts'
import type { Tables } from '../../db/tables.ts'
import { may, type Actor } from '../actor.ts'
import { refuse } from '../control-error.ts'
import { defineRoute, type WorkspaceRef } from '../define-route.ts'
import { BUILT_IN_ROLES, builtInRole, PERMISSIONS } from '../permissions.ts'
import { forbidden, inUse, notFound, taken } from '../problems.ts'
import { checkVersion } from '../resources/resource-store.ts'

type Role = Selectable<RoleTable>

const permissions = z
  .array(z.enum(PERMISSIONS))
  .min(1)
  .max(PERMISSIONS.length)
  .meta({ description: 'What the role permits, at most what you may do there yourself.' })
const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes, a letter first')
const params = z.strictObject({ name: z.string().max(100) })

const view = z.strictObject({
  name: z.string(),
  builtIn: z.boolean(),
  permissions: z.array(z.string()),
  revision: z.int().meta({ description: 'Grows with every change; the number in the ETag.' }),
})

function toView(row: Role): z.input<typeof view> {
  return { name: row.name, builtIn: false, permissions: readPermissions(row), revision: row.version }
}

function readPermissions({ permissions: text }: Role): string[] {
  // Written below, from a list that was checked.
  return JSON.parse(text) as string[]
}

/** The same operations are there for a workspace and for the installation. */
interface Level {
  readonly path: string
  readonly where: 'Workspace' | 'Installation'
  readonly place: string
}

function listRoles({ path, where, place }: Level) {
  return defineRoute({
    id: `list${where}Roles`,
    method: 'GET',
    path,
    tag: 'roles',
    summary: `Lists the roles that can be given in ${place}.`,
    permission: 'roles.read',
    effect: 'read',
    output: z.strictObject({ items: z.array(view) }),
    async handle({ db, workspace }) {
      const places = [...new Set(['', workspace.id])]
      const rows = await db
        .selectFrom('roles')
        .selectAll()
        .where('workspace_id', 'in', places)
        .orderBy('name')
        .execute()
      return { body: { items: [...builtInViews(), ...rows.map(toView)] } }
    },
  })
}

function createRole({ path, where, place }: Level) {
  return defineRoute({
    id: `create${where}Role`,
    method: 'POST',
    path,
    tag: 'roles',
    summary: `Makes a role for ${place}.`,
    permission: 'roles.write',
    effect: 'create',
    body: z.strictObject({ name, permissions }),
    output: view,
    handle: (call) =>
      call.write(async (write) => {
        const { control, workspace, body } = call
        checkHeld(call.actor, body.permissions, workspace)
        await checkName(write.db, body.name, workspace)
        const nowMs = control.clock.now()
        const row: Role = {
          id: control.newId('role'),
          workspace_id: workspace.id,
          name: body.name,
          permissions: JSON.stringify(body.permissions),
          version: 1,
          created_at_ms: nowMs,
          updated_at_ms: nowMs,
        }
        await write.db.insertInto('roles').values(row).execute()
        write.note({ kind: 'role', id: row.id, name: row.name, after: { permissions: body.permissions } })
        return { status: 201, body: toView(row), etag: row.version }
      }),
  })
}

function replaceRole({ path, where, place }: Level) {
  return defineRoute({
    id: `replace${where}Role`,
    method: 'PUT',
    path: `${path}/{name}`,
    tag: 'roles',
    summary: `Sets what a role of ${place} permits; who has it is subject to that at once.`,
    permission: 'roles.write',
    effect: 'change',
    params,
    body: z.strictObject({ permissions }),
    output: view,
    handle: (call) =>
      call.write(async (write) => {
        const { control, workspace, body } = call
        const before = await getRole(write.db, call.params.name, workspace)
        checkVersion(before, call.expectedVersion)
        checkHeld(call.actor, [...body.permissions, ...readPermissions(before)], workspace)
        const after: Role = {
          ...before,
          permissions: JSON.stringify(body.permissions),
          version: before.version + 1,
          updated_at_ms: control.clock.now(),
        }
        await write.db.updateTable('roles').set(after).where('id', '=', before.id).execute()
        const notes = { before: { permissions: readPermissions(before) }, after: { permissions: body.permissions } }
        write.note({ kind: 'role', id: before.id, name: before.name, ...notes })
        return { body: toView(after), etag: after.version }
      }),
  })
}

function removeRole({ path, where, place }: Level) {
  return defineRoute({
    id: `remove${where}Role`,
    method: 'DELETE',
    path: `${path}/{name}`,
    tag: 'roles',
    summary: `Removes a role of ${place} that nobody has.`,
    permission: 'roles.write',
    effect: 'remove',
    params,
    handle: (call) =>
      call.write(async (write) => {
        const row = await getRole(write.db, call.params.name, call.workspace)
        checkVersion(row, call.expectedVersion)
        checkHeld(call.actor, readPermissions(row), call.workspace)
        await checkUnused(write.db, row)
        await write.db.deleteFrom('roles').where('id', '=', row.id).execute()
        write.note({ kind: 'role', id: row.id, name: row.name, before: { permissions: readPermissions(row) } })
        return { status: 204 }
      }),
  })
}

const toRoutes = (level: Level) => [listRoles(level), createRole(level), replaceRole(level), removeRole(level)]

export const workspaceRoleRoutes = toRoutes({
  path: '/workspaces/{workspace}/roles',
  where: 'Workspace',
  place: 'a workspace',
})
export const installationRoleRoutes = toRoutes({
  path: '/roles',
  where: 'Installation',
  place: 'the whole installation',
})

function builtInViews(): z.input<typeof view>[] {
  return Object.entries(BUILT_IN_ROLES).map(([role, definition]) => ({
    name: role,
    builtIn: true,
    permissions: [...definition.permissions],
    revision: 1,
  }))
}

function checkHeld(actor: Actor, wanted: readonly string[], workspace: WorkspaceRef): void {
  const missing = PERMISSIONS.find((each) => wanted.includes(each) && !may(actor, each, workspace.id))
  if (missing !== undefined) refuse(forbidden({ detail: `You cannot give what you do not have: ${missing}.` }))
}

/** One name means one thing: a role of a workspace does not hide one of the installation, nor the other way round. */
async function checkName(db: Kysely<Tables>, role: string, workspace: WorkspaceRef): Promise<void> {
  let known = db.selectFrom('roles').select('id').where('name', '=', role)
  if (workspace.id !== '') known = known.where('workspace_id', 'in', ['', workspace.id])
  if (builtInRole(role) !== undefined || (await known.executeTakeFirst()) !== undefined) {
    refuse(taken({ detail: `There is a role ${JSON.stringify(role)} already.` }))
  }
}

async function checkUnused(db: Kysely<Tables>, { name: role, workspace_id: workspaceId }: Role): Promise<void> {
  let uses = db.selectFrom('bindings').select('id').where('role', '=', role)
  if (workspaceId !== '') uses = uses.where('workspace_id', '=', workspaceId)
  if ((await uses.executeTakeFirst()) !== undefined) {
    refuse(inUse({ detail: 'Somebody has this role: take it away from them first.' }))
  }
}

async function getRole(db: Kysely<Tables>, role: string, workspace: WorkspaceRef): Promise<Role> {
  const row = await db
    .selectFrom('roles')
    .selectAll()
    .where('name', '=', role)
    .where('workspace_id', '=', workspace.id)
    .executeTakeFirst()
  return row ?? refuse(notFound({ detail: `There is no role ${JSON.stringify(role)} that was made here.` }))
}
