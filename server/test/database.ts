/** A fresh, migrated store for one test, on SQLite or on a real PostgreSQL. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { pino } from 'pino'
import { describe, inject, onTestFinished } from 'vitest'
import { openDatabase, type Database, type Dialect } from '../src/db/client.ts'
import { migrate } from '../src/db/migrate.ts'
import { readChecksum } from '../src/db/migration-checksum.ts'
import { migrations } from '../src/db/migrations/index.ts'

const silent = pino({ level: 'silent' })
/** The one rule: where PostgreSQL is installed, and everywhere in CI, what is not there or does not start fails. */
const hasPostgres = inject('postgresAt') !== ''

export interface TestStore {
  readonly dialect: Dialect
  /** A store of its own for each call, closed and removed when the test is over. */
  open(): Promise<Database>
  /** Where a store is, for those who open it themselves, several times or from other processes. */
  place(options?: { readonly migrated: boolean }): Promise<StorePlace>
}

export interface StorePlace {
  readonly url: string | undefined
  readonly folder: string
  open(): Promise<Database>
}

/** Runs the suite once for each kind of store. */
export function describeOnEveryStore(name: string, suite: (store: TestStore) => void): void {
  describeOn('sqlite', name, suite)
  describeOnPostgres(name, suite)
}

/** Runs the suite on PostgreSQL alone: for what only it can do. */
export function describeOnPostgres(name: string, suite: (store: TestStore) => void): void {
  describeOn('postgres', name, suite)
}

function describeOn(dialect: Dialect, name: string, suite: (store: TestStore) => void): void {
  describe.skipIf(dialect === 'postgres' && !hasPostgres)(`${name}, on ${dialect}`, () => {
    suite({ dialect, open: () => testDatabase(dialect), place: (options) => makePlace(dialect, options) })
  })
}

/** The store of tests that do not say which. All of control's suites pass on PostgreSQL too: `npm run test:postgres`. */
const usualDialect = readUsualDialect(process.env['HEADGATE_TEST_STORE'] ?? 'sqlite')

function readUsualDialect(text: string): Dialect {
  if (text === 'sqlite' || (text === 'postgres' && hasPostgres)) return text
  throw new Error(`HEADGATE_TEST_STORE is ${text}: say sqlite, or postgres where a PostgreSQL is installed`)
}

/** A fresh store for one test. */
export async function testDatabase(dialect: Dialect = usualDialect): Promise<Database> {
  const place = await makePlace(dialect)
  return place.open()
}

async function makePlace(dialect: Dialect, { migrated } = { migrated: true }): Promise<StorePlace> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const url = dialect === 'postgres' ? await makePostgresDatabase(migrated) : undefined
  const open = async (): Promise<Database> => {
    const database = await openDatabase({ url, folder, log: silent })
    onTestFinished(() => database.close())
    return database
  }
  if (dialect === 'sqlite' && migrated) await migrateAt(undefined, folder)
  return { url, folder, open }
}

async function migrateAt(url: string | undefined, folder = ''): Promise<void> {
  const database = await openDatabase({ url, folder, log: silent })
  await migrate(database)
  await database.close()
}

/** A copy of a migrated template, which the first test of a run makes. */
async function makePostgresDatabase(migrated: boolean): Promise<string> {
  const serverUrl = await findServer()
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await onServer(serverUrl, async (client) => {
    const template = migrated ? await makeTemplate(client, serverUrl) : 'template0'
    await client.query(`create database ${name} template ${template} strategy file_copy`)
  })
  onTestFinished(() => onServer(serverUrl, (client) => client.query(`drop database ${name} with (force)`)))
  return toUrl(serverUrl, name)
}

/** Named after its migrations, so that changed ones get a template of their own. */
async function makeTemplate(client: Client, serverUrl: string): Promise<string> {
  const checksums = await Promise.all(migrations.map((migration) => readChecksum(migration, 'postgres')))
  const name = `template_${checksums.map((checksum) => checksum.slice(0, 8)).join('_')}`.slice(0, 59)
  await client.query('select pg_advisory_lock(1)')
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
  if (rowCount === 0) {
    // Under its name only when it is complete.
    await client.query(`drop database if exists ${name}_new`)
    await client.query(`create database ${name}_new template template0`)
    await migrateAt(toUrl(serverUrl, `${name}_new`))
    await client.query(`alter database ${name}_new rename to ${name}`)
  }
  await client.query('select pg_advisory_unlock(1)')
  return name
}

async function findServer(): Promise<string> {
  const response = await fetch(inject('postgresAt'))
  const text = await response.text()
  if (response.ok) return text
  throw new Error(text)
}

async function onServer(url: string, task: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await task(client)
  } finally {
    await client.end()
  }
}

function toUrl(serverUrl: string, database: string): string {
  return serverUrl.replace(/[^/]+$/, database)
}
