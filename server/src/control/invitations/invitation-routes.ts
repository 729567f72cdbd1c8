/** Invitations: how an account gets its first password, or a new one. Nobody but its owner ever knows it. */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Tables } from '../../db/tables.ts'
import { may } from '../actor.ts'
import { refuse } from '../control-error.ts'
import { defineRoute } from '../define-route.ts'
import { invalid } from '../problems.ts'
import { toTime } from '../resources/resource-view.ts'
import { toDeviceCookie } from '../sessions/device-cookie.ts'
import { badInvitation } from '../sessions/session-problems.ts'
import { endSessions } from '../sessions/session-store.ts'
import { accountAttempt, forgiveAttempt } from '../sessions/sign-in-throttle.ts'
import { createSecretToken, hashToken } from '../tokens/secret-token.ts'
import { grantsOfActor } from '../users/actor-grants.ts'
import { checkOutranks, findExcess, refuseOwn } from '../users/own-or-other.ts'
import { checkPassword, password } from '../users/password-rules.ts'
import { hashPassword } from '../users/password.ts'
import { getUser } from '../users/user-routes.ts'

const HOUR_MS = 3_600_000

export const createInvitation = defineRoute({
  id: 'createInvitation',
  method: 'POST',
  path: '/users/{id}/invitations',
  tag: 'users',
  summary: 'Makes a token, shown once, with which the owner of an account chooses a password; the one before is void.',
  permission: 'users.write',
  effect: 'create',
  params: z.strictObject({ id: z.string().max(100) }),
  body: z.strictObject({ hours: z.int().min(1).max(336).default(72) }),
  output: z.strictObject({ token: z.string(), expiresAt: z.iso.datetime() }),
  handle(call) {
    const { control, body } = call
    const token = createSecretToken('invitation')
    return call.write(async (write) => {
      const user = await getUser(write.db, call.params.id)
      if (user.is_service === 1) refuse(invalid({ detail: 'A service account has tokens and no password.' }))
      refuseOwn(call, user.id)
      await checkOutranks(write.db, call.actor, user.id)
      const nowMs = control.clock.now()
      const expiresAtMs = nowMs + body.hours * HOUR_MS
      await write.db.deleteFrom('invitations').where('user_id', '=', user.id).execute()
      await write.db
        .insertInto('invitations')
        .values({
          hash: hashToken(token),
          user_id: user.id,
          created_at_ms: nowMs,
          expires_at_ms: expiresAtMs,
          used_at_ms: null,
          made_by: call.actor.id,
        })
        .execute()
      write.note({ kind: 'invitation', id: user.id, name: user.email, after: { expiresAt: toTime(expiresAtMs) } })
      return { status: 201, body: { token, expiresAt: toTime(expiresAtMs) } }
    })
  },
})

export const acceptInvitation = defineRoute({
  id: 'acceptInvitation',
  method: 'POST',
  path: '/invitations/accept',
  tag: 'users',
  summary: 'Sets the password of the account that was invited, and ends its sessions.',
  permission: { door: 'public' },
  effect: 'action',
  body: z.strictObject({ token: z.string().max(200), password }),
  output: z.strictObject({ email: z.string() }),
  problems: [badInvitation],
  async handle(call) {
    const { control, body, db } = call
    const hash = hashToken(body.token)
    const user = await db
      .selectFrom('invitations')
      .innerJoin('users', 'users.id', 'invitations.user_id')
      .select(['users.id', 'users.email', 'users.name'])
      .where('invitations.hash', '=', hash)
      .where('invitations.used_at_ms', 'is', null)
      .where('invitations.expires_at_ms', '>', control.clock.now())
      .where('users.disabled_at_ms', 'is', null)
      .executeTakeFirst()
    if (user === undefined) return refuse(badInvitation())
    checkPassword(body.password, user)
    const passwordHash = await hashPassword(body.password)
    const answer = await call.write(async (write) => {
      const nowMs = control.clock.now()
      const used = await write.db
        .updateTable('invitations')
        .set({ used_at_ms: nowMs })
        .where('hash', '=', hash)
        .where('used_at_ms', 'is', null)
        .returning('made_by')
        .executeTakeFirst()
      if (used === undefined) return refuse(badInvitation())
      await checkMaker(write.db, used.made_by, user.id, nowMs)
      await write.db
        .updateTable('users')
        .set((expression) => ({
          password_hash: passwordHash,
          updated_at_ms: nowMs,
          version: expression('version', '+', 1),
        }))
        .where('id', '=', user.id)
        .execute()
      await endSessions(write.db, user.id)
      write.note({ kind: 'user', id: user.id, name: user.email, after: { password: 'set by invitation' } })
      return { body: { email: user.email }, cookies: [toDeviceCookie(control, user.email)] }
    })
    await forgiveAttempt(control, [accountAttempt(user.email)])
    return answer
  },
})

/**
 * An account may rise after its owner was invited, and whoever invited them may fall: the invitation opens what its maker
 * could open now, and nothing more.
 */
async function checkMaker(db: Kysely<Tables>, madeBy: string, userId: string, nowMs: number): Promise<void> {
  const maker = { grants: await grantsOfActor(db, madeBy, nowMs) }
  const isStillTheirs = may(maker, 'users.write', '') && (await findExcess(db, maker, userId)) === undefined
  if (isStillTheirs) return
  refuse(badInvitation({ detail: 'Whoever made it may not let anybody into this account now. Ask for a new one.' }))
}
