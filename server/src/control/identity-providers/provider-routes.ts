/**
 * Which OpenID providers people may sign in with. Whoever sets this decides who is who, so it needs `access.write`, which
 * only owners have; and what groups give is checked as if it were given by hand.
 */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Tables } from '../../db/tables.ts'
import type { Actor } from '../actor.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import { defineRoute } from '../define-route.ts'
import { checkGift, checkTeamGift } from '../members/check-gift.ts'
import { invalid, taken } from '../problems.ts'
import { checkVersion } from '../resources/resource-store.ts'
import { getTeam } from '../teams/team-routes.ts'
import { findWorkspace } from '../workspaces/find-workspace.ts'
import {
  aboutClientSecret,
  getProvider,
  providerSpec,
  readSpec,
  toSource,
  type ProviderRow,
  type ProviderSpec,
} from './identity-provider.ts'
import { takeAllBack, takeBack } from './take-groups.ts'

const path = '/identity-providers'
const params = z.strictObject({ name: z.string().max(100) })
const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes, a letter first')
const clientSecret = z.string().min(1).max(1000).optional().meta({ secret: true })

const view = providerSpec.extend({
  name: z.string(),
  hasClientSecret: z.boolean(),
  revision: z.int().meta({ description: 'Grows with every change; the number in the ETag.' }),
})

function toView(row: ProviderRow): z.input<typeof view> {
  return { name: row.name, ...readSpec(row), hasClientSecret: row.secret !== '', revision: row.version }
}

const listProviders = defineRoute({
  id: 'listIdentityProviders',
  method: 'GET',
  path,
  tag: 'access',
  summary: 'Lists the OpenID providers that people may sign in with.',
  permission: 'access.read',
  effect: 'read',
  output: z.strictObject({ items: z.array(view) }),
  async handle({ db }) {
    const rows = await db.selectFrom('identity_providers').selectAll().orderBy('name').execute()
    return { body: { items: rows.map(toView) } }
  },
})

const createProvider = defineRoute({
  id: 'createIdentityProvider',
  method: 'POST',
  path,
  tag: 'access',
  summary: 'Lets people of an OpenID provider sign in.',
  permission: 'access.write',
  effect: 'create',
  body: providerSpec.extend({ name, clientSecret }),
  output: view,
  handle: (call) =>
    call.write(async (write) => {
      const { control, actor } = call
      const { name: own, clientSecret: secret, ...spec } = call.body
      await checkGroups(write.db, actor, spec)
      const known = await write.db
        .selectFrom('identity_providers')
        .select('id')
        .where('name', '=', own)
        .executeTakeFirst()
      if (known !== undefined) refuse(taken())
      const nowMs = control.clock.now()
      const id = control.newId('idp')
      const row: ProviderRow = {
        id,
        name: own,
        spec: JSON.stringify(spec),
        secret: sealSecret(control, id, secret),
        version: 1,
        created_at_ms: nowMs,
        updated_at_ms: nowMs,
      }
      await write.db.insertInto('identity_providers').values(row).execute()
      write.note({ kind: 'identity-provider', id, name: own, after: toNote(spec) })
      return { status: 201, body: toView(row), etag: row.version }
    }),
})

const replaceProvider = defineRoute({
  id: 'replaceIdentityProvider',
  method: 'PUT',
  path: `${path}/{name}`,
  tag: 'access',
  summary:
    'Changes an OpenID provider; without a new client secret the one that is there stays, unless the issuer changes, which also ends what the old one gave.',
  permission: 'access.write',
  effect: 'change',
  params,
  body: providerSpec.extend({ clientSecret }),
  output: view,
  handle: (call) =>
    call.write(async (write) => {
      const { control, actor } = call
      const { clientSecret: secret, ...spec } = call.body
      const before = await getProvider(write.db, call.params.name)
      checkVersion(before, call.expectedVersion)
      await checkGroups(write.db, actor, spec)
      // The secret of one provider is not handed to another.
      const known = readSpec(before)
      const kept = known.issuer === spec.issuer ? before.secret : ''
      const after: ProviderRow = {
        ...before,
        spec: JSON.stringify(spec),
        secret: secret === undefined ? kept : sealSecret(control, before.id, secret),
        version: before.version + 1,
        updated_at_ms: control.clock.now(),
      }
      await write.db.updateTable('identity_providers').set(after).where('id', '=', before.id).execute()
      // Groups of another issuer, or of another claim, only have the same names.
      const areSameGroups = known.issuer === spec.issuer && known.groupsClaim === spec.groupsClaim
      if (areSameGroups) await takeBack(write.db, spec, toSource(before))
      else await takeAllBack(write.db, toSource(before))
      const notes = { before: toNote(known), after: toNote(spec) }
      write.note({ kind: 'identity-provider', id: before.id, name: before.name, ...notes })
      return { body: toView(after), etag: after.version }
    }),
})

const removeProvider = defineRoute({
  id: 'removeIdentityProvider',
  method: 'DELETE',
  path: `${path}/{name}`,
  tag: 'access',
  summary: 'Lets nobody in any more by an OpenID provider; ends the sessions, and the roles, that it gave.',
  permission: 'access.write',
  effect: 'remove',
  params,
  handle: (call) =>
    call.write(async (write) => {
      const row = await getProvider(write.db, call.params.name)
      checkVersion(row, call.expectedVersion)
      await takeAllBack(write.db, toSource(row))
      await write.db.deleteFrom('identity_providers').where('id', '=', row.id).execute()
      write.note({ kind: 'identity-provider', id: row.id, name: row.name, before: toNote(readSpec(row)) })
      return { status: 204 }
    }),
})

export const providerRoutes = [listProviders, createProvider, replaceProvider, removeProvider]

function sealSecret({ keys }: Control, id: string, secret: string | undefined): string {
  return secret === undefined ? '' : keys.seal(secret, aboutClientSecret(id))
}

function toNote({ groups, ...spec }: ProviderSpec) {
  // Groups as one text each: the audit keeps JSON, in which an absent key and one that is undefined differ.
  return { ...spec, groups: groups.map((each) => JSON.stringify(each)) }
}

async function checkGroups(db: Kysely<Tables>, actor: Actor, { groups }: ProviderSpec): Promise<void> {
  for (const [at, { role, team, workspace: name }] of groups.entries()) {
    const workspace = name === undefined ? { id: '' } : await findWorkspace(db, name)
    if (workspace === undefined) {
      refuse(invalid({ errors: [{ pointer: `/groups/${at}/workspace`, detail: 'There is no such workspace.' }] }))
    } else if (role !== undefined && team === undefined) {
      await checkGift(db, actor, role, workspace.id)
    } else if (team !== undefined && role === undefined && workspace.id !== '') {
      await checkTeamGift(db, actor, (await getTeam(db, workspace.id, team)).id)
    } else {
      refuse(invalid({ errors: [{ pointer: `/groups/${at}`, detail: 'either a role, or a team and its workspace' }] }))
    }
  }
}
