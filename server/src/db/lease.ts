/**
 * Who of several processes does a piece of background work. A lease is held for a time and prolonged while its holder
 * lives; a holder that dies is replaced when the time is over. Clocks may differ and processes may stall, so what must
 * not be done twice is guarded as well: a change guarded by a lease commits only while nobody else has had it since.
 */
import type { Transaction } from 'kysely'
import type { Clock } from '../kernel/clock.ts'
import type { Database, Dialect } from './client.ts'
import type { Tables } from './tables.ts'

export interface LeaseOptions {
  /** This process, and no other ever: a random id made when it starts. */
  readonly holder: string
  readonly durationMs?: number
}

export interface Lease {
  /** Takes it when it is free or over, and prolongs it when it is held here. False: somebody else has it. */
  acquire(): Promise<boolean>
  /** Prolongs it; false when it was lost. Unlike `acquire`, never takes it from the free. */
  renew(): Promise<boolean>
  release(): Promise<void>
  /** What this process may believe without asking: false at the latest when the time is over. */
  isHeld(): boolean
  /** Grows from holder to holder; undefined while it is not held. */
  fencingToken(): number | undefined
  /** Within a write: throws `LeaseLostError`, and so undoes the write, unless the lease is still held here. */
  guard(transaction: Transaction<Tables>): Promise<void>
}

export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
}

const defaultDurationMs = 10_000
/** By how much two processes' clocks may differ before a lease is taken from one who believes to hold it. */
const toleratedSkewMs = 2000
/** The time at which a lease ends that was given back. */
const released = 0

export function createLease(database: Database, name: string, clock: Clock, options: LeaseOptions): Lease {
  const { holder, durationMs = defaultDurationMs } = options
  let held: { readonly token: number; readonly untilMs: number } | undefined

  /** Counted from before the store was asked, on a clock that never jumps: never later than others believe. */
  const prolong = async (allowTaking: boolean): Promise<boolean> => {
    const askedAtMs = clock.monotonicMs()
    const token = await database.write((transaction) =>
      takeOrProlong(transaction, { name, holder, nowMs: clock.now(), durationMs, allowTaking }),
    )
    held = token === undefined ? undefined : { token, untilMs: askedAtMs + durationMs }
    return token !== undefined
  }
  const isHeld = (): boolean => held !== undefined && clock.monotonicMs() < held.untilMs
  return {
    acquire: () => prolong(true),
    renew: () => prolong(false),
    async release() {
      if (!held) return
      const { token } = held
      held = undefined
      await database.write((transaction) =>
        transaction
          .updateTable('leases')
          .set({ expires_at_ms: released })
          .where('name', '=', name)
          .where('fencing_token', '=', token)
          .execute(),
      )
    },
    isHeld,
    fencingToken: () => (isHeld() ? held?.token : undefined),
    async guard(transaction) {
      const row = await readLocked(transaction, name, database.dialect)
      if (!held || row?.fencing_token !== held.token) throw new LeaseLostError(`The lease ${name} is held elsewhere.`)
    },
  }
}

/** Whoever wants to take it waits until the guarded write has ended, or makes it fail. SQLite has one writer anyway. */
function readLocked(transaction: Transaction<Tables>, name: string, dialect: Dialect) {
  const query = transaction.selectFrom('leases').select('fencing_token').where('name', '=', name)
  return (dialect === 'postgres' ? query.forShare() : query).executeTakeFirst()
}

interface LeaseRequest {
  readonly name: string
  readonly holder: string
  readonly nowMs: number
  readonly durationMs: number
  readonly allowTaking: boolean
}

/** The fencing token under which it is held now; undefined when it is not this holder's. */
async function takeOrProlong(transaction: Transaction<Tables>, request: LeaseRequest): Promise<number | undefined> {
  const { name, holder, nowMs, durationMs, allowTaking } = request
  const before = await transaction.selectFrom('leases').selectAll().where('name', '=', name).executeTakeFirst()
  const expires_at_ms = nowMs + durationMs
  if (before?.holder === holder && before.expires_at_ms !== released) {
    await transaction.updateTable('leases').set({ expires_at_ms }).where('name', '=', name).execute()
    return before.fencing_token
  }
  if (!allowTaking) return undefined
  if (!before) {
    await transaction.insertInto('leases').values({ name, holder, expires_at_ms, fencing_token: 1 }).execute()
    return 1
  }
  if (before.expires_at_ms !== released && nowMs < before.expires_at_ms + toleratedSkewMs) return undefined
  const fencing_token = before.fencing_token + 1
  await transaction
    .updateTable('leases')
    .set({ holder, expires_at_ms, fencing_token })
    .where('name', '=', name)
    .execute()
  return fencing_token
}
