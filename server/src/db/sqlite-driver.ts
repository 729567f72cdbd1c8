/**
 * SQLite under Kysely. Its calls are synchronous, so a transaction whose work awaits only its own queries is over before
 * any other event of the process is handled. Work that awaits something else would hold the one write lock meanwhile;
 * it is noticed the moment it does so, and rolled back.
 */
import type BetterSqlite from 'better-sqlite3'
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type QueryResult,
} from 'kysely'
import { prepareOnce } from './sqlite-statements.ts'

export class TransactionWaitedError extends Error {
  override readonly name = 'TransactionWaitedError'
}

/** One use of a handle, from acquiring to releasing; a fresh one each time, so that a refused one stays refused. */
export class SqliteConnection implements DatabaseConnection {
  private readonly handle: BetterSqlite.Database
  private refusal: Error | undefined
  private onRefused: (error: Error) => void = () => {}
  private isOver = false

  constructor(handle: BetterSqlite.Database) {
    this.handle = handle
  }

  beginReading(): void {
    this.handle.exec('begin')
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    if (this.refusal) throw this.refusal
    parameters.forEach(refuseNul)
    const statement = prepareOnce<R>(this.handle, sql)
    if (statement.reader) return { rows: statement.all(...parameters) }
    const { changes, lastInsertRowid } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    if (this.refusal) throw this.refusal
    for (const row of this.handle.prepare<unknown[], R>(sql).iterate(...parameters)) yield { rows: [row] }
  }

  /** Begins to write, and watches that nothing but the transaction's own queries is awaited until it ends. */
  beginWriting(onRefused: (error: Error) => void): void {
    this.handle.exec('begin immediate')
    this.onRefused = onRefused
    // Ticks run when no microtask is left: all that only awaits queries has ended by then.
    process.nextTick(() => this.refuseIfWaiting())
  }

  end(how: 'commit' | 'rollback'): void {
    if (this.refusal && how === 'commit') throw this.refusal
    // A refused work that fails later asks to be rolled back again, while the handle is already in the next transaction.
    if (this.isOver) return
    this.isOver = true
    // SQLite itself rolls back on some errors, such as a full disk.
    if (this.handle.inTransaction) this.handle.exec(how)
    else if (how === 'commit') throw new Error('SQLite had rolled the transaction back before it was committed.')
  }

  private refuseIfWaiting(): void {
    if (this.isOver) return
    this.end('rollback')
    this.refusal = new TransactionWaitedError(
      'A write transaction awaited something other than its own queries; it was rolled back.',
    )
    this.onRefused(this.refusal)
  }
}

/** PostgreSQL cannot store this character in a text, so SQLite must not. */
function refuseNul(parameter: unknown): void {
  if (typeof parameter === 'string' && parameter.includes('\0')) throw new TypeError('A text holds the character NUL.')
}

/** What differs between the writer and the readers; the rest is one driver. */
export interface SqliteHandles {
  acquire(): Promise<SqliteConnection>
  begin(connection: SqliteConnection): void
  release(connection: SqliteConnection): void
}

export function createSqliteDialect(handles: SqliteHandles): Dialect {
  return {
    createDriver: () => createDriver(handles),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter,
    createIntrospector: (database) => new SqliteIntrospector(database),
  }
}

/** Kysely's own, which would let one connection work at a time and so wait for a transaction that was refused. */
function createAdapter(): DialectAdapter {
  const adapter = new SqliteAdapter()
  return {
    supportsMultipleConnections: true,
    supportsTransactionalDdl: adapter.supportsTransactionalDdl,
    supportsReturning: adapter.supportsReturning,
    acquireMigrationLock: (database, options) => adapter.acquireMigrationLock(database, options),
    releaseMigrationLock: (database, options) => adapter.releaseMigrationLock(database, options),
  }
}

function createDriver(handles: SqliteHandles): Driver {
  const own = (connection: DatabaseConnection): SqliteConnection => {
    if (connection instanceof SqliteConnection) return connection
    throw new TypeError('The connection is not one of this driver.')
  }
  const run = async (connection: DatabaseConnection, verb: string, name: string): Promise<void> => {
    await connection.executeQuery(CompiledQuery.raw(`${verb} "${name.replaceAll('"', '""')}"`))
  }
  return {
    async init() {},
    acquireConnection: () => handles.acquire(),
    async beginTransaction(connection) {
      handles.begin(own(connection))
    },
    async commitTransaction(connection) {
      own(connection).end('commit')
    },
    async rollbackTransaction(connection) {
      own(connection).end('rollback')
    },
    savepoint: (connection, name) => run(connection, 'savepoint', name),
    rollbackToSavepoint: (connection, name) => run(connection, 'rollback to', name),
    releaseSavepoint: (connection, name) => run(connection, 'release', name),
    async releaseConnection(connection) {
      handles.release(own(connection))
    },
    // The handles are the database's: it closes them when nobody uses them any more.
    async destroy() {},
  }
}
