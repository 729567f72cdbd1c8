/** What a migration does to an empty store, as one number: it stays the same while its statements do. */
import { createHash } from 'node:crypto'
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Dialect as KyselyDialect,
} from 'kysely'
import type { Dialect } from './client.ts'
import { toMigrationStep, type Migration } from './migration.ts'

/** SHA-256 over the statements, which are written down and not executed. */
export async function readChecksum(migration: Migration, dialect: Dialect): Promise<string> {
  const hash = createHash('sha256')
  const recorder = new Kysely<unknown>({
    dialect: recordingDialects[dialect],
    log: ({ query }) => void hash.update(`${query.sql};\n`),
  })
  await migration.up(toMigrationStep(recorder, dialect))
  return hash.digest('hex')
}

const recordingDialects: Record<Dialect, KyselyDialect> = {
  sqlite: {
    createDriver: () => new DummyDriver(),
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (database) => new SqliteIntrospector(database),
  },
  postgres: {
    createDriver: () => new DummyDriver(),
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (database) => new PostgresIntrospector(database),
  },
}
