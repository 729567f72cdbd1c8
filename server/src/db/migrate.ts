/**
 * Brings the tables to the shape that this program knows: forwards only, all steps in one transaction, one process at a
 * time. What was applied is written down with a checksum of its SQL, so that a changed migration is noticed.
 */
import { sql, type Kysely, type Transaction } from 'kysely'
import type { Database, Dialect } from './client.ts'
import { toMigrationStep, type Migration } from './migration.ts'
import { readChecksum } from './migration-checksum.ts'
import { migrations as ownMigrations } from './migrations/index.ts'
import type { Tables } from './tables.ts'

/** The data cannot be brought to what this program knows. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

export interface AppliedMigration {
  readonly name: string
  readonly checksum: string
}

/** Applies what is missing and says its names; refuses data of a newer program or of changed migrations. */
export function migrate(database: Database, migrations = ownMigrations): Promise<string[]> {
  return database.writeAlone((transaction) => applyMigrations(transaction, database.dialect, migrations))
}

/** As `migrate`, within a transaction that nobody else migrates beside. */
export async function applyMigrations(
  transaction: Transaction<Tables>,
  dialect: Dialect,
  migrations: readonly Migration[],
): Promise<string[]> {
  const step = toMigrationStep(transaction, dialect)
  await step.run(`CREATE TABLE IF NOT EXISTS migrations (position INTEGER PRIMARY KEY, name TEXT NOT NULL,
    checksum TEXT NOT NULL, applied_at_ms BIGINT NOT NULL)`)
  const applied = await readApplied(transaction)
  refuseUnknown(applied, migrations)
  const done: string[] = []
  for (const [index, migration] of migrations.entries()) {
    const { name } = migration
    const checksum = await readChecksum(migration, dialect)
    const before = applied[index]
    if (before) {
      refuseChanged(before, { name, checksum })
      continue
    }
    await migration.up(step)
    await sql`insert into migrations (position, name, checksum, applied_at_ms)
      values (${index + 1}, ${name}, ${checksum}, ${Date.now()})`.execute(transaction)
    done.push(name)
  }
  return done
}

/** The migrations that the data has gone through, oldest first. */
export async function readApplied(database: Kysely<Tables>): Promise<readonly AppliedMigration[]> {
  const { rows } = await sql<AppliedMigration>`select name, checksum from migrations order by position`.execute(
    database,
  )
  return rows
}

function refuseUnknown(applied: readonly AppliedMigration[], migrations: readonly Migration[]): void {
  const unknown = applied[migrations.length]
  if (!unknown) return
  throw new MigrationError(
    `The data was last used by a newer Headgate (it has ${unknown.name}, which this one does not know). ` +
      'Start that version or a newer one, or restore a backup made by this version.',
  )
}

function refuseChanged(before: AppliedMigration, now: AppliedMigration): void {
  if (before.name === now.name && before.checksum === now.checksum) return
  throw new MigrationError(
    `The data was made by another line of Headgate: it has ${before.name} where this one has ${now.name}` +
      `${before.name === now.name ? ' with other statements' : ''}. Start the version that made it.`,
  )
}
