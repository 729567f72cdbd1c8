/** One step of the tables from one shape to the next. */
import { sql, type Kysely } from 'kysely'
import type { Dialect } from './client.ts'

export interface MigrationStep {
  /** The tables as they are at this step, which is not what `Tables` says today. */
  readonly database: Kysely<unknown>
  readonly dialect: Dialect
  /**
   * Runs a statement that is written for both stores: a column is TEXT, which is compared and sorted by its bytes,
   * INTEGER for truth and small numbers, or BIGINT.
   */
  readonly run: (statement: string) => Promise<void>
}

export interface Migration {
  /** Like its file: `0001-installation`. */
  readonly name: string
  up(this: void, step: MigrationStep): Promise<void>
}

/** What a migration works on: the same connection, which no longer claims to know the tables. */
export function toMigrationStep<T>(database: Kysely<T>, dialect: Dialect): MigrationStep {
  const untyped = database as Kysely<unknown>
  const run = async (statement: string): Promise<void> => {
    await sql.raw(toDialect(statement, dialect)).execute(untyped)
  }
  return { database: untyped, dialect, run }
}

/**
 * The servers of PostgreSQL sort in the language of their makers, and SQLite keeps any value in any column; left to
 * themselves they would answer the same query differently.
 */
function toDialect(statement: string, dialect: Dialect): string {
  if (dialect === 'postgres') return statement.replaceAll(/\bTEXT\b/g, 'TEXT COLLATE "C"')
  const typed = statement.replaceAll(/\bBIGINT\b/g, 'INTEGER')
  return /^\s*CREATE TABLE\b/.test(typed) ? `${typed} STRICT` : typed
}
