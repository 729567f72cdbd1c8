/**
 * Slows down who guesses. An attempt is counted before it is judged, so that many at the same moment are as many, and
 * taken back when it was right. What is counted:
 *
 * - a browser that signed in to the account before has a device cookie and a count of its own; whatever others do to
 *   the account, it is not kept out (the device cookies of OWASP);
 * - everybody else shares a count for the account and one for their address.
 *
 * All delays end by themselves and have a bound, and they are the same for accounts that do not exist.
 */
import { hash } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { SignInAttemptTable } from '../../db/people-tables.ts'
import type { Tables } from '../../db/tables.ts'
import { toClientNetwork } from '../../kernel/client-network.ts'
import type { Control } from '../control.ts'
import { refuse } from '../control-error.ts'
import { signInDelayed } from './session-problems.ts'

export interface Attempt {
  readonly subject: string
  /** Failures without a delay. */
  readonly free: number
  /** The longest delay; after as long without a failure one is forgotten. */
  readonly mostDelayMs: number
}

const MINUTE_MS = 60_000
/** Nothing is left of a count that nobody added to for so long. */
const FORGET_MS = 4 * 60 * MINUTE_MS

export function accountAttempt(email: string): Attempt {
  return { subject: `account ${hash('sha256', email)}`, free: 10, mostDelayMs: MINUTE_MS }
}

/** Behind one address there may be a whole office. */
export function addressAttempt(address: string): Attempt {
  return { subject: `address ${toClientNetwork(address)}`, free: 50, mostDelayMs: MINUTE_MS }
}

export function deviceAttempt(device: string): Attempt {
  return { subject: `device ${hash('sha256', device)}`, free: 10, mostDelayMs: 15 * MINUTE_MS }
}

/** Somebody at a browser that was left open guesses at the password. */
export function ownAttempt(userId: string): Attempt {
  return { subject: `own ${userId}`, free: 5, mostDelayMs: 15 * MINUTE_MS }
}

/** Of six digits, three of a million right: fewer than a hundred tries a day, so it takes years, and the password before it. */
export function codeAttempt(userId: string): Attempt {
  return { subject: `code ${userId}`, free: 5, mostDelayMs: 20 * MINUTE_MS }
}

/** Counts them as failed, in a transaction of its own; refuses, and counts nothing, where one has to wait. */
export async function beginAttempt({ database, clock }: Control, attempts: readonly Attempt[]): Promise<void> {
  const nowMs = clock.now()
  const waitMs = await database.write(async (db) => {
    await db
      .deleteFrom('sign_in_attempts')
      .where('last_at_ms', '<', nowMs - FORGET_MS)
      .execute()
    const rows = await readRows(db, attempts)
    const until = Math.max(0, ...rows.map(({ until_ms: untilMs }) => untilMs))
    if (until > nowMs) return until - nowMs
    for (const attempt of attempts) {
      const failures =
        leftOf(
          rows.find(({ subject }) => subject === attempt.subject),
          attempt,
          nowMs,
        ) + 1
      const row = { failures, last_at_ms: nowMs, until_ms: nowMs + toDelayMs(attempt, failures) }
      await db
        .insertInto('sign_in_attempts')
        .values({ subject: attempt.subject, ...row })
        .onConflict((conflict) => conflict.column('subject').doUpdateSet(row))
        .execute()
    }
    return 0
  })
  if (waitMs > 0) refuse(signInDelayed({ headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) } }))
}

/** Takes back what `beginAttempt` counted; the account or device whose secret was right begins anew. */
export async function forgiveAttempt({ database }: Control, attempts: readonly Attempt[]): Promise<void> {
  await database.write(async (db) => {
    for (const { subject } of attempts) {
      // An account of one's own must not wipe out what one's address did to others.
      if (!subject.startsWith('address ')) {
        await db.deleteFrom('sign_in_attempts').where('subject', '=', subject).execute()
        continue
      }
      await db
        .updateTable('sign_in_attempts')
        .set((expression) => ({ failures: expression('failures', '-', 1), until_ms: 0 }))
        .where('subject', '=', subject)
        .execute()
    }
  })
}

function leftOf(row: Selectable<SignInAttemptTable> | undefined, { mostDelayMs }: Attempt, nowMs: number): number {
  if (row === undefined) return 0
  return Math.max(0, row.failures - Math.floor((nowMs - row.last_at_ms) / mostDelayMs))
}

function readRows(db: Kysely<Tables>, attempts: readonly Attempt[]) {
  const subjects = attempts.map(({ subject }) => subject)
  return db.selectFrom('sign_in_attempts').selectAll().where('subject', 'in', subjects).execute()
}

/** One second after the free ones, then twice as long each time. */
function toDelayMs({ free, mostDelayMs }: Attempt, failures: number): number {
  return failures <= free ? 0 : Math.min(mostDelayMs, 1000 * 2 ** Math.min(30, failures - free - 1))
}
