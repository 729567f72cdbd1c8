/** Accounts of people and of services. What they may do is a matter of their roles (`control/members/`). */
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { UserTable } from '../../db/people-tables.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import { defineRoute } from '../define-route.ts'
import { inUse, notFound, taken } from '../problems.ts'
import { checkVersion } from '../resources/resource-store.ts'
import { toTime } from '../resources/resource-view.ts'
import { hasTotp } from '../totp/take-code.ts'
import { checkOutranks } from './own-or-other.ts'

export type User = Selectable<UserTable>

export const userView = z.strictObject({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  isService: z.boolean(),
  disabled: z.boolean(),
  hasPassword: z.boolean(),
  hasTotp: z.boolean(),
  revision: z.int().meta({ description: 'Grows with every change; the number in the ETag.' }),
  createdAt: z.iso.datetime(),
})

export function toUserView(row: User): z.input<typeof userView> {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    isService: row.is_service === 1,
    disabled: row.disabled_at_ms !== null,
    hasPassword: row.password_hash !== '',
    hasTotp: hasTotp(row),
    revision: row.version,
    createdAt: toTime(row.created_at_ms),
  }
}

const params = z.strictObject({ id: z.string().max(100) })

export const listUsers = defineRoute({
  id: 'listUsers',
  method: 'GET',
  path: '/users',
  tag: 'users',
  summary: 'Lists the accounts.',
  permission: 'users.read',
  effect: 'read',
  query: z.strictObject({
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: z.string().max(320).optional().meta({ description: '`next` of the page before.' }),
  }),
  output: z.strictObject({ items: z.array(userView), next: z.string().optional() }),
  async handle({ db, query }) {
    let rows = db.selectFrom('users').selectAll()
    if (query.cursor !== undefined) rows = rows.where('email', '>', query.cursor)
    const found = await rows
      .orderBy('email')
      .limit(query.limit + 1)
      .execute()
    const page = found.slice(0, query.limit)
    return { body: { items: page.map(toUserView), next: found.length > page.length ? page.at(-1)?.email : undefined } }
  },
})

export const createUser = defineRoute({
  id: 'createUser',
  method: 'POST',
  path: '/users',
  tag: 'users',
  summary: 'Creates an account: of a person, who is then invited, or of a service, which has tokens only.',
  permission: 'users.write',
  effect: 'create',
  body: z.strictObject({
    email: z.email().max(320),
    name: z.string().min(1).max(200),
    isService: z.boolean().default(false),
  }),
  output: userView,
  async handle(call) {
    const { control, body } = call
    const email = body.email.toLowerCase()
    return call.write(async (write) => {
      const known = await write.db.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst()
      if (known !== undefined) refuse(taken({ detail: `There is an account ${email} already.` }))
      const nowMs = control.clock.now()
      const row: User = {
        id: control.newId('user'),
        email,
        name: body.name,
        password_hash: '',
        totp: '',
        totp_step: 0,
        is_service: body.isService ? 1 : 0,
        disabled_at_ms: null,
        version: 1,
        created_at_ms: nowMs,
        updated_at_ms: nowMs,
      }
      await write.db.insertInto('users').values(row).execute()
      write.note({ kind: 'user', id: row.id, name: email, after: { name: row.name, isService: body.isService } })
      return { status: 201, body: toUserView(row), etag: row.version }
    })
  },
})

export const disableUser = defineRoute({
  id: 'disableUser',
  method: 'PUT',
  path: '/users/{id}/disabled',
  tag: 'users',
  summary: 'Locks an account out, with its sessions and tokens, or lets it in again.',
  permission: 'users.write',
  effect: 'change',
  params,
  body: z.strictObject({ disabled: z.boolean() }),
  output: userView,
  async handle(call) {
    const { control, body } = call
    return call.write(async (write) => {
      const before = await getUser(write.db, call.params.id)
      checkVersion(before, call.expectedVersion)
      await checkOutranks(write.db, call.actor, before.id)
      const nowMs = control.clock.now()
      const after: User = {
        ...before,
        disabled_at_ms: body.disabled ? nowMs : null,
        version: before.version + 1,
        updated_at_ms: nowMs,
      }
      await keepOwner(write.db, () => write.db.updateTable('users').set(after).where('id', '=', before.id).execute())
      if (body.disabled) await write.db.deleteFrom('sessions').where('user_id', '=', before.id).execute()
      write.note({ kind: 'user', id: before.id, name: before.email, after: { disabled: body.disabled } })
      return { body: toUserView(after), etag: after.version }
    })
  },
})

export async function getUser(db: Kysely<Tables>, id: string): Promise<User> {
  const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
  return row ?? refuse(notFound({ detail: 'There is no such account.' }))
}

/** Refuses a change that would leave an installation that had an owner without one who can get in. */
export async function keepOwner(db: Kysely<Tables>, change: () => Promise<unknown>): Promise<void> {
  const had = await hasOwner(db)
  await change()
  if (!had || (await hasOwner(db))) return
  refuse(inUse({ detail: 'The last owner stays: make somebody else an owner first.' }))
}

async function hasOwner(db: Kysely<Tables>): Promise<boolean> {
  const owner = await db
    .selectFrom('bindings')
    .innerJoin('users', (join) =>
      join.on((on) => on(on.fn<string>('substr', ['bindings.subject', on.val(6)]), '=', on.ref('users.id'))),
    )
    .select('users.id')
    .where('bindings.role', '=', 'owner')
    .where('bindings.workspace_id', '=', '')
    .where('users.disabled_at_ms', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return owner !== undefined
}
