/** The store on PostgreSQL: a pool of connections, and one more for notifications. Several processes may share it. */
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely'
import { Pool, TypeOverrides, types, type ClientBase } from 'pg'
import type { Log } from '../kernel/log.ts'
import type { Database, Work } from './client.ts'
import { createGate } from './gate.ts'
import { createPostgresListener } from './postgres-listener.ts'
import { retryConflicts } from './retry.ts'
import type { Tables } from './tables.ts'

const maxConnections = 10
const connectTimeoutMs = 5000
const statementTimeoutMs = 30_000
/** A connection that vanished without a word is noticed by this, since the server cannot say it any more. */
const answerTimeoutMs = 35_000
const idleInTransactionTimeoutMs = 10_000
const maxNotificationBytes = 7999
/** Any number that nobody else uses: who holds it alone migrates or restores. */
const aloneLock = 4_837_262

/** Every connection keeps what `write` promises, whatever the server's defaults, and only `write` writes. */
const sessionSettings = `
  set default_transaction_read_only = on;
  set statement_timeout = ${statementTimeoutMs};
  set idle_in_transaction_session_timeout = ${idleInTransactionTimeoutMs};
  select set_config('synchronous_commit', case setting when 'off' then 'on' else setting end, false)
    from pg_settings where name = 'synchronous_commit'`

export async function openPostgres(url: string, log: Log): Promise<Database> {
  const pool = new Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    application_name: 'headgate',
    types: createPortableTypes(),
    onConnect: (client): unknown => prepareSession(client, log),
  })
  // pg reports here what happens to idle connections; the listener above has logged it.
  pool.on('error', () => {})
  const read = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const gate = createGate()
  const listener = createPostgresListener(url, log)
  return {
    dialect: 'postgres',
    read,
    write: (work) => gate.enter(() => retryConflicts(() => writeOnce(read, work))),
    writeAlone: (work) => gate.enter(() => writeAlone(read, work)),
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

/** A connection is given out only after this; one that cannot be prepared is not. */
async function prepareSession(client: ClientBase, log: Log): Promise<void> {
  // Without a listener a connection that is lost between two queries would end the process; the next query says it too.
  client.on('error', (error) => log.warn({ error: error.message }, 'a connection to the database was lost'))
  await client.query(sessionSettings)
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

/** Numbers and truth values arrive as from SQLite: both as numbers. A number that JavaScript cannot hold is refused. */
function createPortableTypes(): TypeOverrides {
  const overrides = new TypeOverrides()
  overrides.setTypeParser(types.builtins.INT8, toNumber)
  overrides.setTypeParser(types.builtins.NUMERIC, toNumber)
  overrides.setTypeParser(types.builtins.BOOL, (text) => (text === 't' ? 1 : 0))
  return overrides
}

function toNumber(text: string): number {
  const value = Number(text)
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  throw new RangeError(`The database holds a number that is too large: ${text}.`)
}
