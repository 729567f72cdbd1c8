/**
 * Who did not get in, for the audit. Of each account, of all names that are no accounts together, and of each identity
 * provider, the first few failures of an hour have an entry of their own and the rest are one number when it is over: so
 * whoever guesses cannot make the audit long. They are collected and written every second, since an answer that waited for
 * this would tell by its time which accounts there are.
 */
import type { Kysely } from 'kysely'
import type { SignInFailureTable } from '../../db/people-tables.ts'
import type { Tables } from '../../db/tables.ts'
import { appendAudit, toAuditTarget } from '../audit/append-audit.ts'
import { createBackgroundLoop } from '../background-loop.ts'
import type { Control } from '../control.ts'
import { INSTALLATION_ACTOR } from '../write-as-installation.ts'

export interface FailedSignIn {
  readonly atMs: number
  readonly reason: string
  /** Whose it was, as they say: what is no address of an account may be a password in the wrong field. */
  readonly claimed:
    | { readonly by: 'email'; readonly email: string }
    | { readonly by: 'userId'; readonly userId: string }
    | { readonly by: 'provider'; readonly provider: string }
  /** Id of the actor. */
  readonly actor: string
  readonly address: string
  readonly requestId: string
}

/** What failures are counted under. */
type Target = Pick<SignInFailureTable, 'subject' | 'target_kind' | 'target_id' | 'target_name'>
interface Count extends Target {
  readonly since_ms: number
  readonly failures: number
}

const WINDOW_MS = 60 * 60_000
/** Failures of a window that have an entry each. */
const SHOWN = 10
/** What is kept between two writes; what is more is only counted. */
const MOST_KEPT = 1_000
const NOBODY: Target = { subject: 'nobody', target_kind: 'user', target_id: '', target_name: '' }

export class FailedSignIns {
  private kept: FailedSignIn[] = []
  private uncounted = 0
  private readonly control: Pick<Control, 'database' | 'clock'>

  constructor(control: Pick<Control, 'database' | 'clock'>) {
    this.control = control
  }

  note(failure: FailedSignIn): void {
    if (this.kept.length < MOST_KEPT) this.kept.push(failure)
    else this.uncounted++
  }

  /** Writes what was noted, and the numbers of windows that are over. What cannot be written is written the next time. */
  async flush(): Promise<void> {
    const { database, clock } = this.control
    const overMs = clock.now() - WINDOW_MS
    const { kept, uncounted } = this
    if (kept.length === 0 && !(await hasOver(database.read, overMs))) return
    this.kept = []
    this.uncounted = 0
    try {
      await database.write(async (db) => {
        await closeWindows(db, overMs)
        for (const [target, failures] of await byTarget(db, kept)) await count(db, target, failures)
        if (uncounted > 0) await add(db, NOBODY, clock.now(), uncounted)
      })
    } catch (cause) {
      // The oldest ones, and no more than may be kept, however long the store cannot be written.
      const all = [...kept, ...this.kept]
      this.kept = all.slice(0, MOST_KEPT)
      this.uncounted += uncounted + all.length - this.kept.length
      throw cause
    }
  }
}

/** From now on every second; returns what ends it, with all that was noted until then. */
export function keepFailedSignIns({ log, failures }: Pick<Control, 'log' | 'failures'>): () => Promise<void> {
  const loop = createBackgroundLoop({ what: 'failed sign-ins', everyMs: 1_000, log, run: () => failures.flush() })
  loop.start()
  return async () => {
    await loop.stop()
    // The store may be gone already, and what ends after this has to end all the same.
    await failures
      .flush()
      .catch((cause: unknown) => log.error({ err: cause }, 'failed sign-ins of the last second are not in the audit'))
  }
}

async function hasOver(db: Kysely<Tables>, overMs: number): Promise<boolean> {
  const rows = await db
    .selectFrom('sign_in_failures')
    .select('subject')
    .where('since_ms', '<=', overMs)
    .limit(1)
    .execute()
  return rows.length > 0
}

async function closeWindows(db: Kysely<Tables>, overMs: number): Promise<void> {
  const over = await db.selectFrom('sign_in_failures').selectAll().where('since_ms', '<=', overMs).execute()
  await db.deleteFrom('sign_in_failures').where('since_ms', '<=', overMs).execute()
  for (const window of over) {
    const { failures, since_ms: sinceMs } = window
    if (failures <= SHOWN) continue
    const after = { more: failures - SHOWN, since: new Date(sinceMs).toISOString() }
    const circumstances = { actor: INSTALLATION_ACTOR, address: '', requestId: '' }
    await append(db, sinceMs + WINDOW_MS, circumstances, window, after)
  }
}

/** Adds failures of one target to its window; those that are among the first get an entry. */
async function count(db: Kysely<Tables>, target: Target, failures: readonly FailedSignIn[]): Promise<void> {
  const before = await add(db, target, failures[0]?.atMs ?? 0, failures.length)
  for (const failure of failures.slice(0, Math.max(0, SHOWN - before))) {
    await append(db, failure.atMs, failure, target, { reason: failure.reason })
  }
}

/** Returns how many there were in the window before. */
async function add(db: Kysely<Tables>, target: Target, atMs: number, more: number): Promise<number> {
  const known: Count | undefined = await db
    .selectFrom('sign_in_failures')
    .selectAll()
    .where('subject', '=', target.subject)
    .executeTakeFirst()
  if (known === undefined) {
    const { subject, target_kind, target_id, target_name } = target
    const row = { subject, target_kind, target_id, target_name, since_ms: atMs, failures: more }
    await db.insertInto('sign_in_failures').values(row).execute()
    return 0
  }
  const failures = known.failures + more
  await db.updateTable('sign_in_failures').set({ failures }).where('subject', '=', target.subject).execute()
  return known.failures
}

function append(
  db: Kysely<Tables>,
  atMs: number,
  { actor, address, requestId }: Pick<FailedSignIn, 'actor' | 'address' | 'requestId'>,
  { target_kind: kind, target_id: id, target_name: name }: Target,
  after: Readonly<Record<string, string | number>>,
): Promise<void> {
  const circumstances = {
    actor: { id: actor },
    route: { id: 'failedSignIn' },
    workspace: { id: '' },
    address,
    requestId,
  }
  return appendAudit(db, atMs, circumstances, [toAuditTarget({ kind, id, name, after })])
}

async function byTarget(
  db: Kysely<Tables>,
  failures: readonly FailedSignIn[],
): Promise<ReadonlyMap<Target, readonly FailedSignIn[]>> {
  if (failures.length === 0) return new Map()
  const said = failures.map(({ claimed }) => (claimed.by === 'email' ? claimed.email : ''))
  const ids = failures.map(({ claimed }) => (claimed.by === 'userId' ? claimed.userId : ''))
  const users = await db
    .selectFrom('users')
    .select(['id', 'email'])
    .where((where) => where.or([where('email', 'in', [...new Set(said)]), where('id', 'in', [...new Set(ids)])]))
    .execute()
  const targets = new Map(users.flatMap((user) => [user.id, user.email].map((key) => [key, toTarget(user)] as const)))
  const found = new Map<string, [Target, FailedSignIn[]]>()
  for (const failure of failures) {
    const { claimed } = failure
    const target =
      claimed.by === 'provider'
        ? {
            ...NOBODY,
            subject: `provider ${claimed.provider}`,
            target_kind: 'identity-provider',
            target_name: claimed.provider,
          }
        : (targets.get(claimed.by === 'email' ? claimed.email : claimed.userId) ?? NOBODY)
    const known = found.get(target.subject)
    if (known === undefined) found.set(target.subject, [target, [failure]])
    else known[1].push(failure)
  }
  return new Map(found.values())
}

function toTarget({ id, email }: { readonly id: string; readonly email: string }): Target {
  return { subject: `account ${id}`, target_kind: 'user', target_id: id, target_name: email }
}
