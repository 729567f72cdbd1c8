/** `Idempotency-Key`: a creation that is sent again is answered as the first time, for a day. */
import { hash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Tables } from '../db/tables.ts'
import type { Actor } from './actor.ts'
import type { Control } from './control.ts'
import { refuse } from './control-error.ts'
import type { Answer } from './define-route.ts'
import { idempotencyMismatch, invalid } from './problems.ts'

const DAY_MS = 86_400_000

export interface Recalled {
  readonly actor: string
  readonly key: string
  readonly requestHash: string
  /** What was answered the first time; undefined when this is the first time. */
  readonly answer: Answer<unknown> | undefined
}

/** Looks for the answer; refuses a key that was used for something else. */
export async function recallAnswer(control: Control, actor: Actor, key: string, request: unknown): Promise<Recalled> {
  if (!/^[\x21-\x7E]{1,255}$/.test(key)) {
    refuse(invalid({ errors: [{ pointer: 'header Idempotency-Key', detail: '1 to 255 visible characters' }] }))
  }
  const requestHash = hash('sha256', JSON.stringify(request))
  const row = await control.database.read
    .selectFrom('idempotency')
    .selectAll()
    .where('actor', '=', actor.id)
    .where('key', '=', key)
    .where('created_at_ms', '>', control.clock.now() - DAY_MS)
    .executeTakeFirst()
  if (row !== undefined && row.request_hash !== requestHash) refuse(idempotencyMismatch())
  // The body is the one that was written below.
  const answer =
    row === undefined
      ? undefined
      : { ...(JSON.parse(control.keys.open(row.body, aboutAnswer(key))) as Answer<unknown>), status: row.status }
  return { actor: actor.id, key, requestHash, answer }
}

/** Keeps the answer with the change itself; of two at the same moment the second one's transaction fails. */
export async function rememberAnswer(
  db: Kysely<Tables>,
  { clock, keys }: Control,
  { actor, key, requestHash }: Recalled,
  answer: Answer<unknown>,
): Promise<void> {
  const nowMs = clock.now()
  await db
    .deleteFrom('idempotency')
    .where('created_at_ms', '<=', nowMs - DAY_MS)
    .execute()
  const { status = 200, ...rest } = answer
  // An answer may hold a key that was just made, and is shown only once.
  const body = keys.seal(JSON.stringify(rest), aboutAnswer(key))
  await db
    .insertInto('idempotency')
    .values({ actor, key, request_hash: requestHash, status, body, created_at_ms: nowMs })
    .execute()
}

/** What a sealed answer belongs to. */
export function aboutAnswer(key: string): string {
  return `answer ${key}`
}
