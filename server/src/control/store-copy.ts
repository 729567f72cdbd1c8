/** The whole store into one file while it is in use, and back; what an operator can mend is a `StoreCopyError`. */
import type { Transaction } from 'kysely'
import type { Log } from '../kernel/log.ts'
import { BackupError } from '../db/backup-format.ts'
import { backup } from '../db/backup.ts'
import { openDatabase, type Database } from '../db/client.ts'
import { StoreUnavailableError } from '../db/errors.ts'
import { MigrationError } from '../db/migrate.ts'
import { restore } from '../db/restore.ts'
import type { Tables } from '../db/tables.ts'
import { outrunGateways } from './snapshots/outrun-gateways.ts'

export interface StoreCopyOptions {
  /** Of the backup. */
  readonly file: string
  /** Where the embedded store lies. */
  readonly dataDir: string
  /** PostgreSQL instead of the embedded store. */
  readonly databaseUrl: string | undefined
  readonly log: Log
}

/** Why nothing was copied, as a sentence for the operator. */
export class StoreCopyError extends Error {
  override readonly name = 'StoreCopyError'
}

/** Rejects, and leaves a file that was there as it is, when the store cannot be read or the file not written. */
export async function backupStore(options: StoreCopyOptions): Promise<{ readonly rows: number }> {
  return await copy(options, true, (database) => backup(database, options.file))
}

/** Rejects, and changes nothing, when the file cannot be taken, control runs or, without `force`, the store is not empty. */
export async function restoreStore(options: StoreCopyOptions, force: boolean): Promise<{ readonly rows: number }> {
  const finish = async (transaction: Transaction<Tables>): Promise<void> => {
    await outrunGateways(transaction, Date.now())
    // Whoever held them held them in another store.
    await transaction.updateTable('leases').set({ expires_at_ms: 0 }).execute()
  }
  return await copy(options, false, (database) => restore(database, options.file, { force, finish, nowMs: Date.now() }))
}

async function copy<Result>(
  { dataDir, databaseUrl, log }: StoreCopyOptions,
  mustExist: boolean,
  run: (database: Database) => Promise<Result>,
): Promise<Result> {
  try {
    const database = await openDatabase({ url: databaseUrl, folder: dataDir, log, mustExist })
    try {
      return await run(database)
    } finally {
      await database.close()
    }
  } catch (cause) {
    throw isOperators(cause) ? new StoreCopyError(cause.message, { cause }) : cause
  }
}

function isOperators(cause: unknown): cause is Error {
  if (cause instanceof BackupError || cause instanceof MigrationError || cause instanceof StoreUnavailableError) {
    return true
  }
  return cause instanceof Error && 'syscall' in cause && 'path' in cause
}
