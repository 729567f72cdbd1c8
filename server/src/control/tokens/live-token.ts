/** Tokens that count, and what they may do: looked up anew each time, so that what was taken away is gone at once. */
import type { Kysely } from 'kysely'
import { isJsonObject } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import type { Grant } from '../actor.ts'
import { isPermission, type Permission } from '../permissions.ts'
import { grantsOfUser } from '../users/user-grants.ts'
import { narrow } from './narrow.ts'

/** The token with its account; undefined when it is unknown, revoked, over, or its account locked out. */
export async function findLiveToken(db: Kysely<Tables>, by: 'id' | 'hash', value: string, nowMs: number) {
  const row = await db
    .selectFrom('tokens')
    .innerJoin('users', 'users.id', 'tokens.user_id')
    .selectAll('tokens')
    .select(['users.email', 'users.is_service'])
    .where(`tokens.${by}`, '=', value)
    .where('tokens.revoked_at_ms', 'is', null)
    .where('users.disabled_at_ms', 'is', null)
    .executeTakeFirst()
  const isOver = row !== undefined && row.expires_at_ms !== null && row.expires_at_ms <= nowMs
  return isOver ? undefined : row
}

/** A token can what its user can, narrowed to its scopes and its workspace. */
export async function grantsOfToken(
  db: Kysely<Tables>,
  token: { readonly user_id: string; readonly scopes: string; readonly workspace_id: string },
): Promise<Grant[]> {
  return narrow(await grantsOfUser(db, token.user_id), readScopes(token.scopes), token.workspace_id)
}

function readScopes(text: string): ReadonlySet<Permission> {
  const list: unknown = JSON.parse(text)
  if (Array.isArray(list)) return new Set(list.filter((each) => typeof each === 'string').filter(isPermission))
  throw new TypeError(`the scopes of a token are a list${isJsonObject(list) ? ', not an object' : ''}`)
}
