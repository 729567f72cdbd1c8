/** What somebody may do now who acted some time ago: the store keeps who it was, and that may have changed since. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { bootstrapActor, type Grant } from '../actor.ts'
import { findLiveToken, grantsOfToken } from '../tokens/live-token.ts'
import { grantsOfUser } from './user-grants.ts'

/** By the id of an actor. Nothing, when the account is locked out or the token is over or revoked. */
export async function grantsOfActor(db: Kysely<Tables>, actorId: string, nowMs: number): Promise<readonly Grant[]> {
  if (actorId === bootstrapActor.id) return bootstrapActor.grants
  const [kind, id = ''] = actorId.split(':')
  if (kind === 'token') {
    const token = await findLiveToken(db, 'id', id, nowMs)
    return token === undefined ? [] : grantsOfToken(db, token)
  }
  if (kind !== 'user') return []
  const users = db.selectFrom('users').select('id').where('id', '=', id).where('disabled_at_ms', 'is', null)
  return (await users.executeTakeFirst()) === undefined ? [] : grantsOfUser(db, id)
}
