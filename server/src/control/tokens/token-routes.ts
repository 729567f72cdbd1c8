/** Tokens for programs: each belongs to an account and can less than it, never more. */
import type { Selectable } from 'kysely'
import { z } from 'zod'
import type { TokenTable } from '../../db/people-tables.ts'
import { may, personBehind, type Actor } from '../actor.ts'
import { refuse } from '../control-error.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { PERMISSIONS, type Permission } from '../permissions.ts'
import { forbidden, notFound } from '../problems.ts'
import { toTime } from '../resources/resource-view.ts'
import { sessionNeeded } from '../sessions/session-problems.ts'
import { ownOrOther, refuseTokens, whoseToEnd } from '../users/own-or-other.ts'
import { grantsOfUser } from '../users/user-grants.ts'
import { getUser, type User } from '../users/user-routes.ts'
import { findWorkspace } from '../workspaces/find-workspace.ts'
import { narrow } from './narrow.ts'
import { createSecretToken, hashToken } from './secret-token.ts'

type Token = Selectable<TokenTable>

const view = z.strictObject({
  id: z.string(),
  name: z.string(),
  userId: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  state: z.enum(['active', 'expired', 'revoked']),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
  lastUsedAt: z.iso.datetime().optional().meta({ description: 'Exact to the hour.' }),
})

function toView(row: Token, nowMs: number): z.input<typeof view> {
  const isExpired = row.expires_at_ms !== null && row.expires_at_ms <= nowMs
  return {
    id: row.id,
    name: row.name,
    userId: row.user_id,
    prefix: row.prefix,
    // Written by `createToken`.
    scopes: JSON.parse(row.scopes) as string[],
    state: row.revoked_at_ms !== null ? 'revoked' : isExpired ? 'expired' : 'active',
    createdAt: toTime(row.created_at_ms),
    ...(row.last_used_at_ms === null ? {} : { lastUsedAt: toTime(row.last_used_at_ms) }),
    ...(row.expires_at_ms === null ? {} : { expiresAt: toTime(row.expires_at_ms) }),
  }
}

const permission = z.enum(PERMISSIONS)

export const createToken = defineRoute({
  id: 'createToken',
  method: 'POST',
  path: '/users/{id}/tokens',
  tag: 'tokens',
  summary: 'Makes a token, shown once: for the own account, or with users.write for one of a service; not by a token.',
  permission: { door: 'signed-in' },
  effect: 'create',
  params: z.strictObject({ id: z.string().max(100) }),
  body: z.strictObject({
    name: z.string().min(1).max(100),
    scopes: z.array(permission).min(1).meta({ description: 'What it may do, at most what the account may do.' }),
    workspace: z.string().max(100).optional().meta({ description: 'Narrows it to one workspace.' }),
    expiresInDays: z.int().min(1).max(3650).optional(),
  }),
  output: view.extend({ token: z.string() }),
  problems: [sessionNeeded],
  async handle(call) {
    const { control, body } = call
    refuseTokens(call)
    const user = await getUser(call.db, ownOrOther(call, call.params.id))
    checkOwner(call.actor, user)
    const workspace = body.workspace === undefined ? undefined : await findWorkspace(call.db, body.workspace)
    if (body.workspace !== undefined && workspace === undefined)
      refuse(notFound({ detail: 'There is no such workspace.' }))
    const missing = body.scopes.find((scope) => !mayGive(call.actor, scope, workspace?.id))
    if (missing !== undefined) refuse(forbidden({ detail: `You cannot give what you do not have: ${missing}.` }))
    await checkReach(call, user.id, new Set(body.scopes), workspace?.id ?? '')
    const token = createSecretToken('api')
    return call.write(async (write) => {
      const nowMs = control.clock.now()
      const row: Token = {
        id: control.newId('token'),
        name: body.name,
        user_id: user.id,
        hash: hashToken(token),
        prefix: token.slice(0, 12),
        workspace_id: workspace?.id ?? '',
        scopes: JSON.stringify(body.scopes),
        expires_at_ms: body.expiresInDays === undefined ? null : nowMs + body.expiresInDays * 86_400_000,
        revoked_at_ms: null,
        last_used_at_ms: null,
        made_by: personBehind(call.actor),
        version: 1,
        created_at_ms: nowMs,
        updated_at_ms: nowMs,
      }
      await write.db.insertInto('tokens').values(row).execute()
      write.note({ kind: 'token', id: row.id, name: `${user.email}/${row.name}`, after: { scopes: body.scopes } })
      return { status: 201, body: { ...toView(row, nowMs), token } }
    })
  },
})

export const listTokens = defineRoute({
  id: 'listTokens',
  method: 'GET',
  path: '/users/{id}/tokens',
  tag: 'tokens',
  summary: 'Lists the tokens of an account, without the tokens themselves.',
  permission: { door: 'signed-in' },
  effect: 'read',
  params: z.strictObject({ id: z.string().max(100) }),
  output: z.strictObject({ items: z.array(view) }),
  async handle(call) {
    const user = await getUser(call.db, ownOrOther(call, call.params.id))
    const rows = await call.db.selectFrom('tokens').selectAll().where('user_id', '=', user.id).orderBy('id').execute()
    return { body: { items: rows.map((row) => toView(row, call.control.clock.now())) } }
  },
})

export const revokeToken = defineRoute({
  id: 'revokeToken',
  method: 'POST',
  path: '/users/{id}/tokens/{token}/revoke',
  tag: 'tokens',
  summary: 'Revokes a token.',
  permission: { door: 'signed-in' },
  effect: 'action',
  params: z.strictObject({ id: z.string().max(100), token: z.string().max(100) }),
  output: view,
  problems: [sessionNeeded],
  handle(call) {
    const { control, params } = call
    return call.write(async (write) => {
      const userId = await whoseToEnd(call, write.db, params.id)
      const nowMs = control.clock.now()
      const row = await write.db
        .updateTable('tokens')
        .set((expression) => ({ revoked_at_ms: nowMs, updated_at_ms: nowMs, version: expression('version', '+', 1) }))
        .where('id', '=', params.token)
        .where('user_id', '=', userId)
        .returningAll()
        .executeTakeFirst()
      if (row === undefined) return refuse(notFound({ detail: 'There is no such token.' }))
      write.note({ kind: 'token', id: row.id, name: row.name })
      return { body: toView(row, nowMs) }
    })
  },
})

/**
 * Refuses a token with which its maker would act in the name of another person. The bootstrap token makes some before
 * anybody can sign in; whoever has it can do everything anyway.
 */
function checkOwner(actor: Actor, user: User): void {
  if (user.is_service === 1 || user.id === actor.userId || actor.kind === 'bootstrap') return
  refuse(forbidden({ detail: 'A person makes their own tokens. Make one for the account of a service.' }))
}

/** Refuses a token that could do more than its maker: what counts is what it would reach, not where it says so. */
async function checkReach(
  { db, actor }: Pick<Call, 'db' | 'actor'>,
  userId: string,
  scopes: ReadonlySet<Permission>,
  workspaceId: string,
): Promise<void> {
  const grants = narrow(await grantsOfUser(db, userId), scopes, workspaceId)
  for (const grant of grants) {
    const missing = [...grant.permissions].find((scope) => !may(actor, scope, grant.workspaceId))
    if (missing !== undefined) refuse(forbidden({ detail: `You cannot give what you do not have: ${missing}.` }))
  }
}

/** In the workspace of the token, or, for one that is not narrowed, somewhere. */
function mayGive(actor: Actor, scope: Permission, workspaceId: string | undefined): boolean {
  if (workspaceId !== undefined) return may(actor, scope, workspaceId)
  return actor.grants.some(({ permissions }) => permissions.has(scope))
}
