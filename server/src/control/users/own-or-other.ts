/** Whose account an operation means, and who may act upon it. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { may, type Actor, type Holder } from '../actor.ts'
import { refuse } from '../control-error.ts'
import type { Call } from '../define-route.ts'
import type { Permission } from '../permissions.ts'
import { forbidden, notFound } from '../problems.ts'
import { sessionNeeded } from '../sessions/session-problems.ts'
import { grantsOfUser } from './user-grants.ts'

/** The account that is meant (`me`: the caller's own); refuses with 404 when it is another one that is none of theirs. */
export function ownOrOther({ actor }: Pick<Call, 'actor'>, id: string): string {
  if (actor.userId !== undefined && (id === 'me' || id === actor.userId)) return actor.userId
  if (id !== 'me' && may(actor, 'users.write', '')) return id
  return refuse(notFound({ detail: 'There is no such account.' }))
}

/** Refuses what an admin does for others to those who would do it for themselves: they have to show their password. */
export function refuseOwn({ actor }: Pick<Call, 'actor'>, userId: string): void {
  if (actor.userId === userId) refuse(forbidden({ detail: 'This is your own account: change it with your password.' }))
}

/** The person and their session; refuses tokens, which may leak to where a session does not. */
export function ownSession({ actor }: Pick<Call, 'actor'>) {
  const { userId, session } = actor
  return userId === undefined || session === undefined ? refuse(sessionNeeded()) : { userId, session }
}

/** Refuses tokens: what they made would outlive their end, their narrowing and their being revoked. */
export function refuseTokens({ actor }: Pick<Call, 'actor'>): void {
  if (actor.kind !== 'bootstrap' && actor.session === undefined) refuse(sessionNeeded())
}

/**
 * The account whose sessions or tokens are to end. One's own takes a session, since a token that leaked must not throw
 * its owner out; another one must not be able to do more than who ends them.
 */
export async function whoseToEnd(call: Pick<Call, 'actor'>, db: Kysely<Tables>, id: string): Promise<string> {
  const userId = ownOrOther(call, id)
  if (userId === call.actor.userId) return ownSession(call).userId
  await checkOutranks(db, call.actor, userId)
  return userId
}

/**
 * Refuses to let somebody into an account that may do more than they: an admin does not become an owner by inviting one
 * anew, and a token that is narrowed to less than its account does not reach the whole of it.
 */
export async function checkOutranks(db: Kysely<Tables>, actor: Actor, userId: string): Promise<void> {
  const missing = await findExcess(db, actor, userId)
  if (missing !== undefined) refuse(forbidden({ detail: `This account may do what you may not: ${missing}.` }))
}

/** Something that the account may do and the holder may not; undefined when there is nothing. */
export async function findExcess(db: Kysely<Tables>, holder: Holder, userId: string): Promise<Permission | undefined> {
  for (const { workspaceId, permissions } of await grantsOfUser(db, userId)) {
    const missing = [...permissions].find((permission) => !may(holder, permission, workspaceId))
    if (missing !== undefined) return missing
  }
  return undefined
}
