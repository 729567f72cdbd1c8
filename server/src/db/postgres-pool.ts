/** Connections to PostgreSQL that keep what the store promises, whatever the server's own settings are. */
import type { PostgresPool, PostgresQueryResult } from 'kysely'
import { Client, Pool, TypeOverrides, types, type ClientBase, type PoolClient } from 'pg'
import type { Log } from '../kernel/log.ts'
import { StoreUnavailableError } from './errors.ts'

const connectTimeoutMs = 5000
const statementTimeoutMs = 30_000
const idleInTransactionTimeoutMs = 10_000
/** A writer that hangs is ended by the limit above, and then the next may go on. */
const lockTimeoutMs = 20_000

/** Reading is the default, so that only `write` writes; a commit is on disk before it is acknowledged. */
const sessionSettings = `
  set default_transaction_read_only = on;
  set statement_timeout = ${statementTimeoutMs};
  set lock_timeout = ${lockTimeoutMs};
  set idle_in_transaction_session_timeout = ${idleInTransactionTimeoutMs};
  select set_config('synchronous_commit', case setting when 'off' then 'on' else setting end, false)
    from pg_settings where name = 'synchronous_commit'`

export interface PoolOptions {
  readonly url: string
  readonly log: Log
  readonly maxConnections: number
  /** When a connection that says nothing is given up. The server's own limit strikes earlier while it can be heard. */
  readonly answerTimeoutMs?: number
}

/** The pool, and the same pool as queries use it, none of which waits for ever. */
export function createPostgresPool({ url, log, maxConnections, answerTimeoutMs = 35_000 }: PoolOptions) {
  const pool = new Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    application_name: 'headgate',
    types: createPortableTypes(),
    // A connection that cannot be prepared is not given out.
    onConnect: (client): unknown => {
      // Without a listener a connection that is lost between two queries would end the process; the next query says it too.
      client.on('error', (error) => log.warn({ error: error.message }, 'a connection to the database was lost'))
      return endUnlessAnswered(client, client.query(sessionSettings), answerTimeoutMs)
    },
  })
  // pg reports here what happens to idle connections; the listener above has logged it.
  pool.on('error', () => {})
  const bounded: PostgresPool = {
    options: pool.options,
    connect: async () => toBoundedClient(await pool.connect(), answerTimeoutMs),
    end: () => pool.end(),
  }
  return { pool, bounded }
}

function toBoundedClient(client: PoolClient, answerTimeoutMs: number): Awaited<ReturnType<PostgresPool['connect']>> {
  function query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>
  function query<R>(text: unknown): R
  function query(text: unknown, parameters: readonly unknown[] = []): unknown {
    if (typeof text !== 'string') throw new TypeError('Cursors are not in use.')
    return endUnlessAnswered(client, client.query(text, [...parameters]), answerTimeoutMs)
  }
  return { query, release: (isBroken) => client.release(isBroken) }
}

/** Where the network vanished without a word, nothing else would end the wait. */
async function endUnlessAnswered<T>(client: ClientBase, answer: Promise<T>, timeoutMs: number): Promise<T> {
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    // With a query under way this destroys the connection, and so ends the query.
    if (client instanceof Client) void client.end()
  }, timeoutMs)
  try {
    return await answer
  } catch (error) {
    if (!isLate) throw error
    throw new StoreUnavailableError('The database did not answer in time.', { cause: error })
  } finally {
    clearTimeout(timer)
  }
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
