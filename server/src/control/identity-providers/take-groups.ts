/**
 * What the groups of a provider give: set anew at each sign-in, and taken back as soon as a mapping is taken away, since
 * people who have tokens may not sign in again for long.
 */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import type { Control } from '../control.ts'
import { findTeam } from '../teams/team-routes.ts'
import { permissionsOfRole } from '../users/user-grants.ts'
import { findWorkspace } from '../workspaces/find-workspace.ts'
import type { ProviderSpec } from './identity-provider.ts'

type Mappings = ProviderSpec['groups']

type Gift =
  | { readonly group: string; readonly kind: 'team'; readonly teamId: string }
  | { readonly group: string; readonly kind: 'role'; readonly role: string; readonly workspaceId: string }

/** Gives what the groups of now give, and takes what those of before gave; what people gave stays. */
export async function takeGroups(
  db: Kysely<Tables>,
  control: Control,
  spec: ProviderSpec,
  source: string,
  userId: string,
  groups: readonly string[],
): Promise<void> {
  const subject = `user:${userId}`
  await db.deleteFrom('bindings').where('subject', '=', subject).where('source', '=', source).execute()
  await db.deleteFrom('team_members').where('user_id', '=', userId).where('source', '=', source).execute()
  const mappings = spec.groups.filter(({ group }) => groups.includes(group))
  const byGroups = JSON.stringify([...new Set(mappings.map(({ group }) => group))])
  const common = { source, by_groups: byGroups, created_at_ms: control.clock.now() }
  for (const gift of await toGifts(db, mappings)) {
    if (gift.kind === 'team') {
      await db
        .insertInto('team_members')
        .values({ team_id: gift.teamId, user_id: userId, ...common })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    } else {
      const { role, workspaceId } = gift
      await db
        .insertInto('bindings')
        .values({ id: control.newId('binding'), subject, workspace_id: workspaceId, role, ...common })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    }
  }
}

/** Takes what the mappings of before gave and those of now do not. */
export async function takeBack(db: Kysely<Tables>, { groups }: ProviderSpec, source: string): Promise<void> {
  const gifts = new Set((await toGifts(db, groups)).map(toKey))
  const bindings = await db.selectFrom('bindings').selectAll().where('source', '=', source).execute()
  for (const { id, role, workspace_id: workspaceId, by_groups: byGroups } of bindings) {
    if (readGroups(byGroups).some((group) => gifts.has(toKey({ group, kind: 'role', role, workspaceId })))) continue
    await db.deleteFrom('bindings').where('id', '=', id).execute()
  }
  const members = await db.selectFrom('team_members').selectAll().where('source', '=', source).execute()
  for (const { team_id: teamId, user_id: userId, by_groups: byGroups } of members) {
    if (readGroups(byGroups).some((group) => gifts.has(toKey({ group, kind: 'team', teamId })))) continue
    await db.deleteFrom('team_members').where('team_id', '=', teamId).where('user_id', '=', userId).execute()
  }
}

/** Ends the sessions that began with a provider, and takes all that its groups gave. */
export async function takeAllBack(db: Kysely<Tables>, source: string): Promise<void> {
  await db.deleteFrom('sessions').where('method', '=', source).execute()
  await db.deleteFrom('bindings').where('source', '=', source).execute()
  await db.deleteFrom('team_members').where('source', '=', source).execute()
}

/** What was removed since a mapping was written gives nothing. */
async function toGifts(db: Kysely<Tables>, mappings: Mappings): Promise<readonly Gift[]> {
  const gifts: Gift[] = []
  for (const { group, role, team, workspace: name } of mappings) {
    const workspace = name === undefined ? { id: '' } : await findWorkspace(db, name)
    if (workspace === undefined) continue
    const found = team === undefined ? undefined : await findTeam(db, workspace.id, team)
    if (found !== undefined) gifts.push({ group, kind: 'team', teamId: found.id })
    if (role === undefined || (await permissionsOfRole(db, role, workspace.id)) === undefined) continue
    gifts.push({ group, kind: 'role', role, workspaceId: workspace.id })
  }
  return gifts
}

function toKey(gift: Gift): string {
  const { group } = gift
  return JSON.stringify(gift.kind === 'team' ? [group, gift.teamId] : [group, gift.role, gift.workspaceId])
}

/** Written by `takeGroups`. */
function readGroups(byGroups: string): readonly string[] {
  const list: unknown = JSON.parse(byGroups)
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : []
}
