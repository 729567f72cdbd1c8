/**
 * The store in a file: one connection writes, others read, so that no read waits for a transaction. Writes queue up in
 * this process; another process (a backup, a command) that holds the lock is waited for without blocking the thread.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { Kysely } from 'kysely'
import { syncFolder } from '../kernel/whole-file.ts'
import { createChannels } from './channels.ts'
import type { Database, Work } from './client.ts'
import { StoreUnavailableError } from './errors.ts'
import { retryConflicts } from './retry.ts'
import { createSqliteDialect, SqliteConnection } from './sqlite-driver.ts'
import type { Tables } from './tables.ts'
import { createWriteQueue } from './write-queue.ts'

const fileName = 'headgate.sqlite'
/** Only recovery after a crash makes SQLite itself wait, and the thread with it. */
const recoveryTimeoutMs = 5000
const maxReaders = 8
/** KiB of pages that one connection keeps. The system keeps the file's as well, and once for all of them. */
const writerCacheKb = 8_000
const readerCacheKb = 2_000

export function openSqlite(folder: string, mustExist = false): Database {
  if (mustExist && !existsSync(join(folder, fileName))) {
    const remedy = 'Name its folder: --data-dir or HEADGATE_DATA_DIR; or its server: HEADGATE_DATABASE_URL.'
    throw new StoreUnavailableError(`There is no store in ${folder}. ${remedy}`)
  }
  const path = createFile(folder)
  const writer = openWriter(path)
  const readers = createReaders(path)
  const read = new Kysely<Tables>({ dialect: createSqliteDialect(readers) })
  const queue = createWriteQueue()
  const write: Database['write'] = (work) => queue.enter(() => retryConflicts(() => writeOnce(writer, work)))
  const channels = createChannels()
  return {
    dialect: 'sqlite',
    read,
    write,
    // There is one writer anyway.
    writeAlone: write,
    async listen(channel, heard) {
      const remove = channels.add(channel, heard)
      return async () => remove()
    },
    // Heard after the sender went on, as from another process.
    async notify(channel, payload) {
      setImmediate(channels.tell, channel, payload)
    },
    async close() {
      if (!(await queue.close())) return
      await readers.close()
      // The last connection to close moves the log into the file.
      writer.close()
    },
  }
}

/** Secrets lie in it, so it is its owner's alone from the moment that it exists. */
function createFile(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, fileName)
  if (existsSync(path)) return path
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  syncFolder(folder)
  return path
}

function openWriter(path: string): Sqlite.Database {
  try {
    return prepareWriter(new Sqlite(path, { timeout: recoveryTimeoutMs }))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StoreUnavailableError(`The store ${path} cannot be opened: ${reason}.`, { cause: error })
  }
}

function prepareWriter(writer: Sqlite.Database): Sqlite.Database {
  writer.pragma('journal_mode = wal')
  writer.pragma('synchronous = full')
  writer.pragma('foreign_keys = on')
  writer.pragma(`cache_size = -${writerCacheKb}`)
  matchCase(writer)
  // From here on, waiting for the lock is `retryConflicts`'s, which lets the thread go on meanwhile.
  writer.pragma('busy_timeout = 0')
  return writer
}

function openReader(path: string): Sqlite.Database {
  const reader = new Sqlite(path, { readonly: true, timeout: recoveryTimeoutMs })
  reader.pragma(`cache_size = -${readerCacheKb}`)
  return matchCase(reader)
}

/** As PostgreSQL does: without this, LIKE finds ASCII letters of either case. */
function matchCase(handle: Sqlite.Database): Sqlite.Database {
  handle.pragma('case_sensitive_like = on')
  return handle
}

function createReaders(path: string) {
  const idle: Sqlite.Database[] = []
  const inUse = new Map<SqliteConnection, Sqlite.Database>()
  const waiting: (() => void)[] = []
  let isClosed = false
  return {
    async acquire() {
      if (isClosed) throw new StoreUnavailableError('The store is closed.')
      while (idle.length === 0 && inUse.size >= maxReaders) await new Promise<void>((resolve) => waiting.push(resolve))
      const handle = idle.pop() ?? openReader(path)
      const connection = new SqliteConnection(handle)
      inUse.set(connection, handle)
      return connection
    },
    begin: (connection: SqliteConnection) => connection.beginReading(),
    release(connection: SqliteConnection) {
      const handle = inUse.get(connection)
      inUse.delete(connection)
      if (handle) idle.push(handle)
      waiting.shift()?.()
    },
    /** Waits for those in use: a handle cannot be closed under a running query. */
    async close() {
      isClosed = true
      while (inUse.size > 0) await new Promise<void>((resolve) => waiting.push(resolve))
      for (const handle of idle.splice(0)) handle.close()
      for (const resume of waiting) resume()
    },
  }
}

function writeOnce<T>(writer: Sqlite.Database, work: Work<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const dialect = createSqliteDialect({
      acquire: async () => new SqliteConnection(writer),
      // A refused work may never end, so its caller hears of it at once.
      begin: (connection) => connection.beginWriting(reject),
      release: () => {},
    })
    new Kysely<Tables>({ dialect }).transaction().execute(work).then(resolve, reject)
  })
}
