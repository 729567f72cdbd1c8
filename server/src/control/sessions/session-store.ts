/** Sessions of people in browsers: begun at sign-in, ended by time, by themselves, by an admin, or by a new password. */
import type { Kysely, Selectable } from 'kysely'
import type { SessionTable } from '../../db/people-tables.ts'
import type { Tables } from '../../db/tables.ts'
import { readAccessSettings } from '../access/access-settings.ts'
import type { Control } from '../control.ts'
import { hasTotp } from '../totp/take-code.ts'
import { createSecretToken, hashToken, isSecretToken } from '../tokens/secret-token.ts'
import { cookieName, readCookie, toCookie } from './cookies.ts'

export type Session = Selectable<SessionTable>

/** What a request brings of its browser. */
export interface Visit {
  /** The `Cookie` field. */
  readonly cookie: string | undefined
  readonly agent: string
  readonly address: string
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

export interface StartedSession {
  readonly session: Session
  readonly token: string
  readonly cookie: string
}

/** Always a new token, and the session that the browser had before ends: none can be put upon somebody beforehand. */
export async function startSession(
  db: Kysely<Tables>,
  control: Control,
  userId: string,
  method: string,
  visit: Visit,
): Promise<StartedSession> {
  const { clock, publicUrl } = control
  const before = readSessionToken(visit.cookie, publicUrl)
  if (before !== undefined) await db.deleteFrom('sessions').where('hash', '=', hashToken(before)).execute()
  const { sessionHours } = await readAccessSettings(db)
  const nowMs = clock.now()
  await db.deleteFrom('sessions').where('expires_at_ms', '<=', nowMs).execute()
  const token = createSecretToken('session')
  const session: Session = {
    hash: hashToken(token),
    id: control.newId('session'),
    user_id: userId,
    method,
    address: visit.address,
    agent: visit.agent.slice(0, 200),
    created_at_ms: nowMs,
    expires_at_ms: nowMs + sessionHours * HOUR_MS,
    seen_at_ms: nowMs,
  }
  await db.insertInto('sessions').values(session).execute()
  return { session, token, cookie: toCookie('session', token, { publicUrl, maxAgeSeconds: sessionHours * 3600 }) }
}

/** The session of a token and its account; undefined when it is unknown, too old, idle for too long, or the account locked. */
export async function findSession({ database, clock }: Control, token: string) {
  const nowMs = clock.now()
  const [row, settings] = await Promise.all([
    database.read
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .selectAll('sessions')
      .select(['users.email', 'users.totp'])
      .where('sessions.hash', '=', hashToken(token))
      .where('users.disabled_at_ms', 'is', null)
      .executeTakeFirst(),
    readAccessSettings(database.read),
  ])
  if (row === undefined || row.expires_at_ms <= nowMs) return undefined
  if (row.seen_at_ms <= nowMs - settings.sessionIdleMinutes * MINUTE_MS) return undefined
  // Once a minute is exact enough, and spares most requests a write.
  if (row.seen_at_ms <= nowMs - MINUTE_MS) {
    await database.write((db) =>
      db.updateTable('sessions').set({ seen_at_ms: nowMs }).where('hash', '=', row.hash).execute(),
    )
  }
  return { ...row, needsTotp: settings.requireTotp && !hasTotp(row) && !row.method.startsWith('oidc:') }
}

export function readSessionToken(cookie: string | undefined, publicUrl: string | undefined): string | undefined {
  const token = readCookie(cookie, cookieName('session', publicUrl))
  return token !== undefined && token.startsWith('hg_session_') && isSecretToken(token) ? token : undefined
}

/** Ends all sessions of an account but one. */
export async function endSessions(db: Kysely<Tables>, userId: string, exceptHash = ''): Promise<void> {
  await db.deleteFrom('sessions').where('user_id', '=', userId).where('hash', '<>', exceptHash).execute()
}
