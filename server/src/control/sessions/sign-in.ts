/** Signing in with address and password, and a code where the account has one. */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Tables } from '../../db/tables.ts'
import type { Control } from '../control.ts'
import { refuse } from '../control-error.ts'
import { defineRoute } from '../define-route.ts'
import { readAccessSettings } from '../access/access-settings.ts'
import { hasTotp, isRecoveryCode, takeCode } from '../totp/take-code.ts'
import { verifyPassword } from '../users/password.ts'
import { getUser, type User } from '../users/user-routes.ts'
import { readDevice, toDeviceCookie } from './device-cookie.ts'
import { codeNeeded, signInBusy, signInDelayed, signInFailed, wrongCode } from './session-problems.ts'
import { startSession, type Visit } from './session-store.ts'
import { sessionView, toSessionView } from './session-view.ts'
import {
  accountAttempt,
  addressAttempt,
  beginAttempt,
  codeAttempt,
  deviceAttempt,
  forgiveAttempt,
  type Attempt,
} from './sign-in-throttle.ts'
import { toCsrfToken } from './check-origin.ts'

const credentials = z.strictObject({
  email: z.string().min(1).max(320),
  password: z.string().min(1).max(256).meta({ secret: true }),
  code: z.string().min(6).max(40).optional().meta({ description: 'Of the authenticator, or a recovery code.' }),
})

export const createSession = defineRoute({
  id: 'createSession',
  method: 'POST',
  path: '/sessions',
  tag: 'sessions',
  summary: 'Signs a person in; the answer sets the cookie of the session.',
  permission: { door: 'public' },
  effect: 'create',
  body: credentials,
  output: sessionView.extend({ csrfToken: z.string() }),
  problems: [signInFailed, codeNeeded, signInDelayed, signInBusy],
  async handle(call) {
    const { control, body, visit } = call
    const email = body.email.toLowerCase()
    const attempts = toAttempts(control, email, visit)
    await beginAttempt(control, attempts)
    const user = await checkPassword(control, email, body.password, visit.address)
    if (user === undefined) return refuse(signInFailed())
    await askForCode(control, user, body.code, attempts)
    const answer = await call.write(async (write) => {
      await refuseChanged(write.db, user)
      if (hasTotp(user) && !(await takeCode(write.db, control, user, body.code ?? ''))) refuse(wrongCode())
      const method = hasTotp(user) ? 'password+totp' : 'password'
      const { session, token, cookie } = await startSession(write.db, control, user.id, method, visit)
      write.note({ kind: 'session', id: session.id, name: email, after: { method } })
      const cookies = [cookie, toDeviceCookie(control, email)]
      return { status: 201, body: { ...toSessionView(session, session.hash), csrfToken: toCsrfToken(token) }, cookies }
    })
    await forgiveAttempt(control, [...attempts, codeAttempt(user.id)])
    return answer
  },
})

function toAttempts(control: Control, email: string, { cookie, address }: Visit): Attempt[] {
  const device = readDevice(control, cookie, email)
  return device === undefined ? [accountAttempt(email), addressAttempt(address)] : [deviceAttempt(device)]
}

/** The account; undefined when anything is wrong, and always after the same work. */
async function checkPassword(
  { database, log }: Control,
  email: string,
  password: string,
  address: string,
): Promise<User | undefined> {
  const user = await database.read.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst()
  const { passwordSignIn } = await readAccessSettings(database.read)
  const mayEnter = user !== undefined && user.is_service === 0 && user.disabled_at_ms === null && passwordSignIn
  const isRight = await verifyPassword(password, mayEnter ? user.password_hash : '')
  if (mayEnter && isRight) return user
  // Only an address that is one of ours: people type passwords into the wrong field.
  log.warn({ account: user?.email, address }, 'a sign-in failed')
  return undefined
}

/** Only those who know the password hear that there is a second factor. */
async function askForCode(
  control: Control,
  user: User,
  code: string | undefined,
  attempts: readonly Attempt[],
): Promise<void> {
  if (!hasTotp(user)) return
  if (code === undefined) {
    await forgiveAttempt(control, attempts)
    refuse(codeNeeded())
  }
  // Recovery codes are too long to be guessed, and open the account while somebody else guesses at the short ones.
  if (!isRecoveryCode(code ?? '')) await beginAttempt(control, [codeAttempt(user.id)])
}

/**
 * Checking a password takes its time: who was locked out meanwhile, or whose password is another one now, gets no session
 * that outlives the end of all others.
 */
async function refuseChanged(db: Kysely<Tables>, before: User): Promise<void> {
  const now = await getUser(db, before.id)
  const isSame = now.password_hash === before.password_hash && now.totp === before.totp
  if (now.disabled_at_ms !== null || !isSame) refuse(signInFailed())
}
