/**
 * Brings the tables to the shape that this program knows: forwards only, all steps in one transaction, one process at a
 * time. What was applied is written down with a checksum of its SQL, so that a changed migration is noticed.
 */
import { sql, type Transaction } from 'kysely'
import type { Database, Dialect } from './client.ts'
import { toMigrationStep, type Migration } from './migration.ts'
import { readChecksum } from './migration-checksum.ts'
import { migrations as ownMigrations } from './migrations/index.ts'
import type { Tables } from './tables.ts'

/** The data cannot be brought to what this program knows. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

interface AppliedMigration {
  readonly name: string
  readonly checksum: string
}

/** Applies what is missing and says its names; refuses data of a newer program or of changed migrations. */
export async function migrate(database: Database, migrations = ownMigrations): Promise<string[]> {
  const { dialect } = database
  const checksums = await Promise.all(migrations.map((migration) => readChecksum(migration, dialect)))
  return database.writeAlone(async (transaction) => {
    const applied = await readApplied(transaction, dialect)
    refuseUnknown(applied, migrations)
    const done: string[] = []
    for (const [index, migration] of migrations.entries()) {
      const checksum = checksums[index] ?? ''
      const before = applied[index]
      if (before) {
        refuseChanged(before, { name: migration.name, checksum })
        continue
      }
      await migration.up(toMigrationStep(transaction, dialect))
      await sql`insert into migrations (position, name, checksum, applied_at_ms)
        values (${index + 1}, ${migration.name}, ${checksum}, ${Date.now()})`.execute(transaction)
      done.push(migration.name)
    }
    return done
  })
}

async function readApplied(transaction: Transaction<Tables>, dialect: Dialect): Promise<readonly AppliedMigration[]> {
  const { run } = toMigrationStep(transaction, dialect)
  await run(`CREATE TABLE IF NOT EXISTS migrations (position INTEGER PRIMARY KEY, name TEXT NOT NULL,
    checksum TEXT NOT NULL, applied_at_ms BIGINT NOT NULL)`)
  const { rows } = await sql<AppliedMigration>`select name, checksum from migrations order by position`.execute(
    transaction,
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
