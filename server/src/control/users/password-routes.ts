/** A person changes their own password. */
import { z } from 'zod'
import { refuse } from '../control-error.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { sessionNeeded, signInDelayed, signInFailed } from '../sessions/session-problems.ts'
import { endSessions, startSession } from '../sessions/session-store.ts'
import { sessionView, toSessionView } from '../sessions/session-view.ts'
import { beginAttempt, forgiveAttempt, ownAttempt } from '../sessions/sign-in-throttle.ts'
import { toCsrfToken } from '../sessions/check-origin.ts'
import { ownSession } from './own-or-other.ts'
import { checkPassword, password } from './password-rules.ts'
import { hashPassword, verifyPassword } from './password.ts'
import { getUser, type User } from './user-routes.ts'

export const changePassword = defineRoute({
  id: 'changePassword',
  method: 'POST',
  path: '/users/me/password',
  tag: 'users',
  summary: 'Changes the own password; ends all other sessions and begins this one anew.',
  permission: { door: 'signed-in' },
  effect: 'action',
  body: z.strictObject({ current: z.string().max(256).meta({ secret: true }), password }),
  output: sessionView.extend({ csrfToken: z.string() }),
  problems: [sessionNeeded, signInFailed, signInDelayed],
  async handle(call) {
    const { control, body } = call
    const user = await proveOwn(call, body.current)
    checkPassword(body.password, user)
    const hash = await hashPassword(body.password)
    return call.write(async (write) => {
      const nowMs = control.clock.now()
      await write.db
        .updateTable('users')
        .set((expression) => ({ password_hash: hash, updated_at_ms: nowMs, version: expression('version', '+', 1) }))
        .where('id', '=', user.id)
        .execute()
      const { method } = await write.db
        .selectFrom('sessions')
        .select('method')
        .where('hash', '=', call.actor.session?.hash ?? '')
        .executeTakeFirstOrThrow()
      const { session, token, cookie } = await startSession(write.db, control, user.id, method, call.visit)
      await endSessions(write.db, user.id, session.hash)
      // Made for who had no password or had forgotten it: whoever finds it later must not choose another one.
      await write.db.deleteFrom('invitations').where('user_id', '=', user.id).execute()
      write.note({ kind: 'user', id: user.id, name: user.email, after: { password: 'changed' } })
      const view = { ...toSessionView(session, session.hash), csrfToken: toCsrfToken(token) }
      return { body: view, cookies: [cookie] }
    })
  },
})

/** The account of the session, when its password is shown again: a browser that was left open is not enough. */
export async function proveOwn(call: Pick<Call, 'actor' | 'control' | 'db'>, current: string): Promise<User> {
  const { userId } = ownSession(call)
  const attempt = [ownAttempt(userId)]
  await beginAttempt(call.control, attempt)
  const user = await getUser(call.db, userId)
  if (!(await verifyPassword(current, user.password_hash))) {
    return refuse(signInFailed({ detail: 'This is not the password of the account.' }))
  }
  await forgiveAttempt(call.control, attempt)
  return user
}
