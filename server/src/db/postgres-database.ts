/** The store on PostgreSQL: a pool of connections, and one more for notifications. Several processes may share it. */
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely'
import type { Database, Work } from './client.ts'
import { StoreUnavailableError } from './errors.ts'
import { createGate } from './gate.ts'
import { createPostgresListener } from './postgres-listener.ts'
import { createPostgresPool, type PoolOptions } from './postgres-pool.ts'
import { retryConflicts } from './retry.ts'
import type { Tables } from './tables.ts'

const oldestVersion = 14
const maxNotificationBytes = 7999
/** Any number that nobody else uses: who holds it alone migrates or restores. */
const aloneLock = 4_837_262

/** Rejects with a sentence for the operator when the server cannot be used. */
export async function openPostgres(options: PoolOptions): Promise<Database> {
  const { pool, bounded } = createPostgresPool(options)
  const read = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: bounded }) })
  // Migrations and restoring take as long as they take.
  const unbounded = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const gate = createGate()
  const listener = createPostgresListener(options.url, options.log)
  await checkServer(read).catch(async (error: unknown) => {
    await pool.end()
    throw error
  })
  return {
    dialect: 'postgres',
    read,
    write: (work) => gate.enter(() => retryConflicts(() => writeOnce(read, work))),
    writeAlone: (work) => gate.enter(() => writeAlone(unbounded, work)),
    listen: listener.listen,
    async notify(channel, payload) {
      if (Buffer.byteLength(payload) > maxNotificationBytes) throw new RangeError('The notification is too long.')
      await sql`select pg_notify(${channel}, ${payload})`.execute(read)
    },
    async close() {
      if (!(await gate.close())) return
      await listener.close()
      await pool.end()
    },
  }
}

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

function writeOnce<T>(pool: Kysely<Tables>, work: Work<T>): Promise<T> {
  return pool.transaction().setIsolationLevel('serializable').setAccessMode('read write').execute(work)
}

/**
 * Each statement sees what was committed before it began: with the one snapshot of a stricter level, which is taken
 * before the lock is waited for, who waited would not see what the other did.
 */
function writeAlone<T>(pool: Kysely<Tables>, work: Work<T>): Promise<T> {
  const alone = async (transaction: Transaction<Tables>): Promise<T> => {
    await sql`set local statement_timeout = 0`.execute(transaction)
    await sql`select pg_advisory_xact_lock(${aloneLock})`.execute(transaction)
    return work(transaction)
  }
  return pool.transaction().setIsolationLevel('read committed').setAccessMode('read write').execute(alone)
}
