/** Makes a token with which one gateway can join, once and only for a while. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import type { Control } from '../control.ts'
import { createSecretToken, hashToken } from '../tokens/secret-token.ts'

export interface JoinToken {
  readonly token: string
  readonly expiresAtMs: number
}

export async function insertJoinToken(
  db: Kysely<Tables>,
  nowMs: number,
  environment: string,
  minutes: number,
): Promise<JoinToken> {
  const token = createSecretToken('join')
  const expiresAtMs = nowMs + minutes * 60_000
  await db
    .insertInto('join_tokens')
    .values({
      hash: hashToken(token),
      environment,
      created_at_ms: nowMs,
      expires_at_ms: expiresAtMs,
      used_at_ms: null,
    })
    .execute()
  return { token, expiresAtMs }
}

/** For the gateway that the same process tree starts. */
export function createJoinToken(
  { database, clock }: Control,
  environment: string,
  minutes: number,
): Promise<JoinToken> {
  return database.write((db) => insertJoinToken(db, clock.now(), environment, minutes))
}
