/** Setting up the second factor of an account, and taking it away. */
import { z } from 'zod'
import { refuse } from '../control-error.ts'
import { defineRoute } from '../define-route.ts'
import { inUse } from '../problems.ts'
import { toCsrfToken } from '../sessions/check-origin.ts'
import { sessionNeeded, signInDelayed, signInFailed, wrongCode } from '../sessions/session-problems.ts'
import { endSessions, startSession } from '../sessions/session-store.ts'
import { beginAttempt, codeAttempt, forgiveAttempt } from '../sessions/sign-in-throttle.ts'
import { checkOutranks, ownSession, refuseOwn } from '../users/own-or-other.ts'
import { proveOwn } from '../users/password-routes.ts'
import { getUser } from '../users/user-routes.ts'
import { hashRecoveryCode, hasTotp, openTotp, sealTotp, takeCode } from './take-code.ts'
import { createRecoveryCode, createTotpSecret, findStep, toOtpAuthUrl } from './totp.ts'

const RECOVERY_CODES = 10
const problems = [sessionNeeded, signInFailed, signInDelayed]
const current = z.string().max(256).meta({ secret: true })

export const beginTotp = defineRoute({
  id: 'beginTotp',
  method: 'POST',
  path: '/users/me/totp',
  tag: 'users',
  summary: 'Makes a TOTP secret for the own account; it counts when its first code was confirmed.',
  permission: { door: 'signed-in' },
  effect: 'action',
  body: z.strictObject({ password: current }),
  output: z.strictObject({ secret: z.string(), url: z.string() }),
  problems,
  async handle(call) {
    const user = await proveOwn(call, call.body.password)
    if (hasTotp(user)) refuse(inUse({ detail: 'The account has TOTP already; remove that first.' }))
    const secret = createTotpSecret()
    return call.write(async (write) => {
      const totp = sealTotp(call.control, user.id, secret, true)
      await write.db.updateTable('users').set({ totp, totp_step: 0 }).where('id', '=', user.id).execute()
      write.note({ kind: 'user', id: user.id, name: user.email, after: { totp: 'begun' } })
      return { body: { secret, url: toOtpAuthUrl(secret, user.email) } }
    })
  },
})

export const confirmTotp = defineRoute({
  id: 'confirmTotp',
  method: 'POST',
  path: '/users/me/totp/confirm',
  tag: 'users',
  summary: 'Puts the TOTP secret in force; answers with recovery codes, shown once, and begins the session anew.',
  permission: { door: 'signed-in' },
  effect: 'action',
  body: z.strictObject({ code: z.string().regex(/^\d{6}$/, 'six digits') }),
  output: z.strictObject({ recoveryCodes: z.array(z.string()), csrfToken: z.string() }),
  problems,
  async handle(call) {
    const { control, body } = call
    const { userId } = ownSession(call)
    await beginAttempt(control, [codeAttempt(userId)])
    const codes = Array.from({ length: RECOVERY_CODES }, createRecoveryCode)
    const answer = await call.write(async (write) => {
      const user = await getUser(write.db, userId)
      if (user.totp === '' || hasTotp(user)) refuse(inUse({ detail: 'There is no secret that waits for its code.' }))
      const secret = openTotp(control, user)
      const step = findStep(secret, body.code, control.clock.now(), user.totp_step)
      if (step === undefined) return refuse(wrongCode({ detail: 'This is not the code of the secret.' }))
      const totp = sealTotp(control, userId, secret, false)
      await write.db.updateTable('users').set({ totp, totp_step: step }).where('id', '=', userId).execute()
      await write.db.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
      await write.db
        .insertInto('recovery_codes')
        .values(codes.map((code) => ({ user_id: userId, hash: hashRecoveryCode(code) })))
        .execute()
      const { session, token, cookie } = await startSession(write.db, control, userId, 'password+totp', call.visit)
      await endSessions(write.db, userId, session.hash)
      write.note({ kind: 'user', id: userId, name: user.email, after: { totp: 'on' } })
      return { body: { recoveryCodes: codes, csrfToken: toCsrfToken(token) }, cookies: [cookie] }
    })
    await forgiveAttempt(control, [codeAttempt(userId)])
    return answer
  },
})

export const removeOwnTotp = defineRoute({
  id: 'removeOwnTotp',
  method: 'POST',
  path: '/users/me/totp/remove',
  tag: 'users',
  summary: 'Takes TOTP off the own account: with the password and a code.',
  permission: { door: 'signed-in' },
  effect: 'action',
  body: z.strictObject({ password: current, code: z.string().min(6).max(40) }),
  problems,
  async handle(call) {
    const user = await proveOwn(call, call.body.password)
    await beginAttempt(call.control, [codeAttempt(user.id)])
    const answer = await call.write(async (write) => {
      const isRight = hasTotp(user) && (await takeCode(write.db, call.control, user, call.body.code))
      if (!isRight) refuse(wrongCode({ detail: 'This is not a code of the account.' }))
      await write.db.updateTable('users').set({ totp: '', totp_step: 0 }).where('id', '=', user.id).execute()
      await write.db.deleteFrom('recovery_codes').where('user_id', '=', user.id).execute()
      await endSessions(write.db, user.id, call.actor.session?.hash)
      write.note({ kind: 'user', id: user.id, name: user.email, after: { totp: 'off' } })
      return { status: 204 }
    })
    await forgiveAttempt(call.control, [codeAttempt(user.id)])
    return answer
  },
})

export const resetTotp = defineRoute({
  id: 'resetTotp',
  method: 'POST',
  path: '/users/{id}/totp/reset',
  tag: 'users',
  summary: 'Takes TOTP off the account of somebody who lost their device, and ends its sessions.',
  permission: 'users.write',
  effect: 'action',
  params: z.strictObject({ id: z.string().max(100) }),
  handle(call) {
    return call.write(async (write) => {
      const user = await getUser(write.db, call.params.id)
      refuseOwn(call, user.id)
      await checkOutranks(write.db, call.actor, user.id)
      await write.db.updateTable('users').set({ totp: '', totp_step: 0 }).where('id', '=', user.id).execute()
      await write.db.deleteFrom('recovery_codes').where('user_id', '=', user.id).execute()
      await endSessions(write.db, user.id)
      write.note({ kind: 'user', id: user.id, name: user.email, after: { totp: 'reset' } })
      return { status: 204 }
    })
  },
})
