/** The store on PostgreSQL: a pool of connections, and one more for notifications. Several processes may share it. */
import { Kysely, PostgresDialect, sql, type PostgresPool, type Transaction } from 'kysely'
import type { Database, Work } from './client.ts'
import { StoreUnavailableError } from './errors.ts'
import { createPostgresListener } from './postgres-listener.ts'
import { createPostgresPool, type PoolOptions } from './postgres-pool.ts'
import { retryConflicts } from './retry.ts'
import type { Tables } from './tables.ts'
import { createWriteQueue } from './write-queue.ts'

export type PostgresOptions = Omit<PoolOptions, 'maxConnections'>

const oldestVersion = 14
const maxNotificationBytes = 7999
/** Any number that nobody else uses: who holds it alone migrates or restores. */
const aloneLock = 4_837_262

const maxReaders = 10

/** Rejects with a sentence for the operator when the server cannot be used. */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const readers = createPostgresPool({ ...options, maxConnections: maxReaders })
  const read = toKysely(readers.bounded)
  // A connection of its own, so that writes that wait for their turn never keep one from reading.
  const writer = createPostgresPool({ ...options, maxConnections: 1 })
  const queue = createWriteQueue()
  const listener = createPostgresListener(options.url, options.log)
  await checkServer(read).catch(async (error: unknown) => {
    await readers.pool.end()
    throw error
  })
  return {
    dialect: 'postgres',
    read,
    write: (work) => queue.enter(() => retryConflicts(() => writeOnce(toKysely(writer.bounded), work))),
    // Migrations and restoring take as long as they take.
    writeAlone: (work) => queue.enter(() => writeAlone(toKysely(writer.pool), work)),
    listen: listener.listen,
    async notify(channel, payload) {
      if (Buffer.byteLength(payload) > maxNotificationBytes) throw new RangeError('The notification is too long.')
      await sql`select pg_notify(${channel}, ${payload})`.execute(read)
    },
    async close() {
      if (!(await queue.close())) return
      await Promise.all([listener.close(), readers.pool.end(), writer.pool.end()])
    },
  }
}

const toKysely = (pool: PostgresPool): Kysely<Tables> => new Kysely({ dialect: new PostgresDialect({ pool }) })

async function checkServer(database: Kysely<Tables>): Promise<void> {
  const question = sql<{
    version: number
    encoding: string
  }>`select current_setting('server_version_num')::int as version,
    current_setting('server_encoding') as encoding`
  const { rows } = await question.execute(database).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StoreUnavailableError(`The database cannot be used: ${reason}`, { cause: error })
  })
  const [server] = rows
  if (!server || server.version < oldestVersion * 10_000)
    throw new Error(`The database is older than PostgreSQL ${oldestVersion}, the oldest that Headgate runs on.`)
  if (server.encoding !== 'UTF8')
    throw new Error(`The database's encoding is ${server.encoding}; make one with encoding UTF8.`)
}

/**
 * One writer at a time over all processes, as on SQLite. Nearly every change ends with an entry in the one chain of the
 * audit, so writes side by side would undo each other, the longest most often. Serializable all the same, for the sake
 * of writers that do not ask. Locking a table takes no snapshot, so the work sees what those before it committed.
 */
function writeOnce<T>(writer: Kysely<Tables>, work: Work<T>): Promise<T> {
  const locked = async (transaction: Transaction<Tables>): Promise<T> => {
    await sql`lock table migrations in exclusive mode`.execute(transaction)
    return work(transaction)
  }
  return writer.transaction().setIsolationLevel('serializable').setAccessMode('read write').execute(locked)
}

/** At a level where each statement sees what was committed before it, since the lock's own statement comes too early. */
function writeAlone<T>(writer: Kysely<Tables>, work: Work<T>): Promise<T> {
  const alone = async (transaction: Transaction<Tables>): Promise<T> => {
    await sql`set local statement_timeout = 0`.execute(transaction)
    await sql`set local lock_timeout = 0`.execute(transaction)
    await sql`select pg_advisory_xact_lock(${aloneLock})`.execute(transaction)
    const { rows } = await sql`select 1 where to_regclass('migrations') is not null`.execute(transaction)
    if (rows.length > 0) await sql`lock table migrations in exclusive mode`.execute(transaction)
    return work(transaction)
  }
  return writer.transaction().setIsolationLevel('read committed').setAccessMode('read write').execute(alone)
}
