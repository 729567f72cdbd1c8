/** Who calls the admin API: a person with a session, or the bearer of the bootstrap token, of an API token or of a gateway's. */
import { timingSafeEqual } from 'node:crypto'
import { bootstrapActor, type Actor } from './actor.ts'
import type { Control } from './control.ts'
import type { Database } from '../db/client.ts'
import { findSession, readSessionToken } from './sessions/session-store.ts'
import { findLiveToken, grantsOfToken } from './tokens/live-token.ts'
import { hashToken, isSecretToken } from './tokens/secret-token.ts'
import { grantsOfUser } from './users/user-grants.ts'

const HOUR_MS = 3_600_000

/** The actor; undefined when the credentials are missing, unknown, expired or revoked. */
export async function authenticate(
  control: Control,
  authorization: string | undefined,
  cookie: string | undefined,
): Promise<Actor | undefined> {
  // Who sends a token means it, whatever cookie the program brings along.
  if (authorization === undefined) return findPerson(control, cookie)
  const token = /^Bearer +([\x21-\x7E]{1,512})$/i.exec(authorization)?.[1]
  if (token === undefined) return undefined
  const hash = hashToken(token)
  if (control.bootstrapHash !== undefined && isEqual(hash, control.bootstrapHash)) return bootstrapActor
  // A typo costs no look-up.
  if (!isSecretToken(token)) return undefined
  return token.startsWith('hg_node_') ? findGateway(control, hash) : findToken(control, hash)
}

async function findGateway({ database }: Control, hash: string): Promise<Actor | undefined> {
  const row = await database.read
    .selectFrom('gateways')
    .select(['id', 'name'])
    .where('token_hash', '=', hash)
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst()
  return row && { id: `gateway:${row.id}`, label: row.name, kind: 'gateway', userId: undefined, grants: [] }
}

/** What a person may is looked up with each request: a role that was taken away is gone at once. */
async function findPerson(control: Control, cookie: string | undefined): Promise<Actor | undefined> {
  const token = readSessionToken(cookie, control.publicUrl)
  const found = token === undefined ? undefined : await findSession(control, token)
  if (token === undefined || found === undefined) return undefined
  const { hash, id, user_id: userId, email, expires_at_ms: expiresAtMs, needsTotp } = found
  const grants = needsTotp ? [] : await grantsOfUser(control.database.read, userId)
  const session = { hash, id, token, expiresAtMs, needsTotp }
  return { id: `user:${userId}`, label: email, kind: 'user', userId, grants, session }
}

async function findToken({ database, clock }: Control, hash: string): Promise<Actor | undefined> {
  const row = await findLiveToken(database.read, 'hash', hash, clock.now())
  if (row === undefined) return undefined
  await noteUse(database, row.id, row.last_used_at_ms, clock.now())
  const grants = await grantsOfToken(database.read, row)
  const token = { isOfService: row.is_service === 1, madeBy: row.made_by }
  return {
    id: `token:${row.id}`,
    label: `${row.email} (${row.name})`,
    kind: 'user',
    userId: row.user_id,
    grants,
    token,
  }
}

/** So that tokens that nobody uses are found and revoked; by the hour, which spares nearly all requests a write. */
async function noteUse(database: Database, id: string, lastMs: number | null, nowMs: number): Promise<void> {
  if (lastMs !== null && lastMs > nowMs - HOUR_MS) return
  await database.write((db) => db.updateTable('tokens').set({ last_used_at_ms: nowMs }).where('id', '=', id).execute())
}

function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
