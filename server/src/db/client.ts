/**
 * The store of the control plane: SQLite in a file of the data folder, or PostgreSQL where a URL is given. Everything
 * above asks through Kysely in the SQL that both understand, and learns only here which of them it is.
 */
import type { Kysely, Transaction } from 'kysely'
import type { Log } from '../kernel/log.ts'
import type { Tables } from './tables.ts'

export type Dialect = 'sqlite' | 'postgres'

/** One unit of change. It may run more than once, so it changes nothing outside the store. */
export type Work<T> = (transaction: Transaction<Tables>) => Promise<T>

/** Hears a notification; `undefined` where some may have been missed, so that the listener looks for itself. */
export type Heard = (payload: string | undefined) => void

export interface Database {
  readonly dialect: Dialect
  /** Reads what is committed; cannot write. */
  readonly read: Kysely<Tables>
  /**
   * Runs the work as if it were alone (serializable) and resolves when it is committed and synced to disk. The work
   * awaits its own queries and nothing else; on SQLite anything else is refused.
   */
  write<T>(work: Work<T>): Promise<T>
  /** As `write`, with no other such work in any process and no limit of time: for migrations and restoring. */
  writeAlone<T>(work: Work<T>): Promise<T>
  /** Hears what any process on the same PostgreSQL notifies; on SQLite, this process. A hint, never the truth. */
  listen(channel: string, heard: Heard): Promise<() => Promise<void>>
  notify(channel: string, payload: string): Promise<void>
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** `postgres://user@host/name`; without it the store is a file in the folder. */
  readonly url?: string | undefined
  readonly folder: string
  readonly log: Log
  /** Refuses to begin a new file where none is. */
  readonly mustExist?: boolean
}

/** Opens the store, and loads only the driver that it needs. Migrating it is `migrate`'s. */
export async function openDatabase({ url, folder, log, mustExist }: DatabaseOptions): Promise<Database> {
  if (url === undefined) {
    const { openSqlite } = await import('./sqlite-database.ts')
    return openSqlite(folder, mustExist)
  }
  const { openPostgres } = await import('./postgres-database.ts')
  return openPostgres({ url, log })
}
