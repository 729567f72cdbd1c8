/** Puts a backup in the place of what the store holds: all of it or nothing. */
import { createHash } from 'node:crypto'
import { closeSync, createReadStream, createWriteStream, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { sql, type Transaction } from 'kysely'
import { BackupError, parseHeader, parseLine, type BackupRow, type BackupTable } from './backup-format.ts'
import type { Database } from './client.ts'
import { applyMigrations } from './migrate.ts'
import type { Migration } from './migration.ts'
import { migrations as ownMigrations } from './migrations/index.ts'
import { readTableShapes, type TableShape } from './table-shapes.ts'
import type { Tables } from './tables.ts'

const chunkBytes = 1 << 20
/** SQLite takes at most 32,766 parameters in a statement, and rows may hold large documents. */
const maxParameters = 1000
const maxBatchCharacters = 4_000_000
/** No lease is longer: one that ends later is of a clock that was wrong, and must not keep anybody from restoring. */
const maxLeaseSeconds = 60

export interface RestoreOptions {
  /** Replaces what is there; without it, only an empty store is filled. */
  readonly force?: boolean
  /** Refuses where a lease is held at this time: whoever holds it would go on with what it knows of the old rows. */
  readonly nowMs?: number
  readonly migrations?: readonly Migration[]
  /** What has to be done in the restored tables, in the same transaction. */
  readonly finish?: (transaction: Transaction<Tables>) => Promise<void>
}

/**
 * Refuses with a `BackupError`, and changes nothing, where the file is damaged or of a newer program, or the store is
 * not empty. A backup of an older program is brought to what this one knows.
 */
export async function restore(
  database: Database,
  file: string,
  options: RestoreOptions = {},
): Promise<{ readonly rows: number }> {
  const { force = false, nowMs, migrations = ownMigrations, finish } = options
  const folder = mkdtempSync(join(tmpdir(), 'headgate-restore-'))
  try {
    // Within a write on SQLite nothing can be awaited but the store, so the lines are read from a plain file.
    const plain = join(folder, 'lines')
    await uncompress(file, plain)
    const { level, rows } = checkFile(plain, migrations)
    await database.writeAlone(async (transaction) => {
      const shapes = await readTableShapes(transaction, database.dialect)
      if (nowMs !== undefined && shapes.some(({ name }) => name === 'leases')) await refuseInUse(transaction, nowMs)
      await removeTables(transaction, shapes, force)
      await applyMigrations(transaction, database.dialect, migrations.slice(0, level))
      await insertRows(transaction, plain, await readTableShapes(transaction, database.dialect))
      await applyMigrations(transaction, database.dialect, migrations)
      await finish?.(transaction)
    })
    return { rows }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function uncompress(file: string, plain: string): Promise<void> {
  try {
    await pipeline(createReadStream(file), createGunzip(), createWriteStream(plain, { mode: 0o600 }))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!code.startsWith('Z_')) throw error
    throw new BackupError('The backup is damaged: it cannot be decompressed.', { cause: error })
  }
}

/** Reads it all once before anything is changed: how many of our migrations it has gone through, and its rows. */
function checkFile(plain: string, migrations: readonly Migration[]): { level: number; rows: number } {
  const hash = createHash('sha256')
  let level = 0
  let rows = 0
  let isComplete = false
  for (const { text, isFirst } of readLines(plain)) {
    if (isComplete) throw new BackupError('The backup is damaged: it goes on after its end.')
    const content = isFirst ? undefined : parseLine(text)
    if (content === undefined) level = checkMigrations(parseHeader(text).migrations, migrations)
    else if (Array.isArray(content)) rows++
    else if ('sha256' in content) {
      isComplete = content.sha256 === hash.copy().digest('hex') && content.rows === rows
      if (!isComplete) throw new BackupError('The backup is damaged: its checksum is another.')
    }
    hash.update(`${text}\n`)
  }
  if (level === 0) throw new BackupError('The file is not a backup of Headgate.')
  if (!isComplete) throw new BackupError('The backup is damaged: its end is missing.')
  return { level, rows }
}

function checkMigrations(made: readonly string[], known: readonly Migration[]): number {
  const unknown = made.find((name, index) => known[index]?.name !== name)
  if (unknown === undefined) return made.length
  throw new BackupError(
    `The backup was made by a newer Headgate (it has ${unknown}, which this one does not know). Restore it with that version.`,
  )
}

async function refuseInUse(transaction: Transaction<Tables>, nowMs: number): Promise<void> {
  const held = await transaction
    .selectFrom('leases')
    .select(({ fn }) => fn.max('expires_at_ms').as('untilMs'))
    .executeTakeFirst()
  const seconds = Math.ceil((Number(held?.untilMs ?? 0) - nowMs) / 1000)
  if (seconds <= 0 || seconds > maxLeaseSeconds) return
  throw new BackupError(
    `A control plane works on this store. Stop it first; if it did not end by itself, try again in ${seconds} seconds.`,
  )
}

async function removeTables(
  transaction: Transaction<Tables>,
  shapes: readonly TableShape[],
  force: boolean,
): Promise<void> {
  for (const { name } of shapes) {
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(transaction)
    if (rows.length > 0 && !force)
      throw new BackupError('The store is not empty. Restore into a new one, or replace everything in it with --force.')
  }
  for (const { name } of shapes.toReversed()) await sql`drop table ${sql.table(name)}`.execute(transaction)
  await sql`drop table if exists migrations`.execute(transaction)
}

async function insertRows(
  transaction: Transaction<Tables>,
  plain: string,
  shapes: readonly TableShape[],
): Promise<void> {
  let table: BackupTable | undefined
  let batch: BackupRow[] = []
  let characters = 0
  const flush = async (): Promise<void> => {
    if (table && batch.length > 0) await insertBatch(transaction, table, batch)
    batch = []
    characters = 0
  }
  for (const { text, isFirst } of readLines(plain)) {
    if (isFirst) continue
    const content = parseLine(text)
    if (!Array.isArray(content)) {
      await flush()
      if ('table' in content) table = checkTable(content, shapes)
      continue
    }
    if (content.length !== table?.columns.length)
      throw new BackupError('The backup is damaged: a row does not fit its table.')
    batch.push(content)
    characters += text.length
    if ((batch.length + 1) * content.length > maxParameters || characters > maxBatchCharacters) await flush()
  }
}

function checkTable(table: BackupTable, shapes: readonly TableShape[]): BackupTable {
  const shape = shapes.find(({ name }) => name === table.table)
  if (shape && table.columns.every((column) => shape.columns.includes(column))) return table
  throw new BackupError(`The backup has a table ${table.table} that its migrations do not make.`)
}

async function insertBatch(
  transaction: Transaction<Tables>,
  table: BackupTable,
  rows: readonly BackupRow[],
): Promise<void> {
  const columns = sql.join(table.columns.map((column) => sql.ref(column)))
  const values = sql.join(rows.map((row) => sql`(${sql.join(row)})`))
  await sql`insert into ${sql.table(table.table)} (${columns}) values ${values}`.execute(transaction)
}

/** The lines of a file, with little of it in memory. */
function* readLines(path: string): Generator<{ readonly text: string; readonly isFirst: boolean }> {
  const file = openSync(path, 'r')
  const chunk = Buffer.alloc(chunkBytes)
  let parts: Buffer[] = []
  let isFirst = true
  try {
    for (let bytes = readSync(file, chunk); bytes > 0; bytes = readSync(file, chunk)) {
      let from = 0
      for (let end = chunk.indexOf(10); end !== -1 && end < bytes; end = chunk.indexOf(10, from)) {
        parts.push(chunk.subarray(from, end))
        yield { text: Buffer.concat(parts).toString(), isFirst }
        isFirst = false
        parts = []
        from = end + 1
      }
      parts.push(Buffer.from(chunk.subarray(from, bytes)))
    }
    if (parts.some((part) => part.length > 0)) throw new BackupError('The backup is damaged: its last line has no end.')
  } finally {
    closeSync(file)
  }
}
