/** Copies the whole store into one file while it is in use: everything as it was at one moment. */
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { sql, type Transaction } from 'kysely'
import { syncFolder } from '../kernel/whole-file.ts'
import { formatVersion, toBackupValue, type BackupHeader, type BackupTrailer } from './backup-format.ts'
import type { Database, Dialect } from './client.ts'
import { readApplied } from './migrate.ts'
import { readTableShapes, type TableShape } from './table-shapes.ts'
import type { Tables } from './tables.ts'

/** Rows may hold documents of many megabytes, so few at a time. */
const rowsPerFetch = 20

/**
 * The file appears under its name, readable by its owner alone, only when it is complete and on disk; one that was there
 * is replaced then. Rejects when the store cannot be read or the file not written.
 */
export async function backup(database: Database, file: string): Promise<{ readonly rows: number }> {
  const partial = `${file}.${randomUUID()}.partial`
  try {
    const rows = await writeFile(database, partial)
    await rename(partial, file)
    syncFolder(dirname(file))
    return { rows }
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

function writeFile(database: Database, path: string): Promise<number> {
  const reading = database.read.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  return reading.execute(async (transaction) => {
    const lines = new BackupLines(transaction, database.dialect)
    // `flush` syncs it to disk before it is closed.
    const out = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true })
    await pipeline(Readable.from(lines.read()), createGzip(), out)
    return lines.rows
  })
}

/** The lines of a backup, and how many rows went by. */
class BackupLines {
  rows = 0
  private readonly transaction: Transaction<Tables>
  private readonly dialect: Dialect
  private readonly hash = createHash('sha256')

  constructor(transaction: Transaction<Tables>, dialect: Dialect) {
    this.transaction = transaction
    this.dialect = dialect
  }

  async *read(): AsyncGenerator<string> {
    // A slow disk may keep it waiting between two questions.
    if (this.dialect === 'postgres')
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(this.transaction)
    const applied = await readApplied(this.transaction)
    const migrations = applied.map(({ name }) => name)
    const header: BackupHeader = { format: 'headgate-backup', formatVersion, createdAtMs: Date.now(), migrations }
    yield this.toLine(header)
    for (const shape of await readTableShapes(this.transaction, this.dialect)) {
      yield this.toLine({ table: shape.name, columns: shape.columns })
      for await (const row of this.readRows(shape)) {
        this.rows++
        yield this.toLine(shape.columns.map((column) => toBackupValue(row[column])))
      }
    }
    const trailer: BackupTrailer = { rows: this.rows, sha256: this.hash.copy().digest('hex') }
    yield this.toLine(trailer)
  }

  private toLine(content: object): string {
    const line = `${JSON.stringify(content)}\n`
    this.hash.update(line)
    return line
  }

  private async *readRows({ name }: TableShape): AsyncGenerator<Readonly<Record<string, unknown>>> {
    const all = sql<Record<string, unknown>>`select * from ${sql.table(name)}`
    if (this.dialect === 'sqlite') {
      const results = this.transaction.getExecutor().stream<Record<string, unknown>>(all.compile(this.transaction), 1)
      for await (const { rows } of results) yield* rows
      return
    }
    await sql`declare backup no scroll cursor for ${all}`.execute(this.transaction)
    const fetch = sql<Record<string, unknown>>`fetch ${sql.lit(rowsPerFetch)} from backup`
    for (;;) {
      const { rows } = await fetch.execute(this.transaction)
      yield* rows
      if (rows.length < rowsPerFetch) break
    }
    await sql`close backup`.execute(this.transaction)
  }
}
