/** One step of the tables from one shape to the next. */
import type { Kysely } from 'kysely'
import type { Dialect } from './client.ts'

export interface MigrationStep {
  /** The tables as they are at this step, which is not what `Tables` says today. */
  readonly database: Kysely<unknown>
  readonly schema: Kysely<unknown>['schema']
  readonly dialect: Dialect
}

export interface Migration {
  /** Like its file: `0001-installation`. */
  readonly name: string
  up(step: MigrationStep): Promise<void>
}

/** What a migration works on: the same connection, which no longer claims to know the tables. */
export function toMigrationStep<T>(database: Kysely<T>, dialect: Dialect): MigrationStep {
  const untyped = database as Kysely<unknown>
  return { database: untyped, schema: untyped.schema, dialect }
}
