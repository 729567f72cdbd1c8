import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { describeOnEveryStore, describeOnPostgres, testDatabase } from '../../test/database.ts'
import { backup } from './backup.ts'
import { BackupError } from './backup-format.ts'
import type { Database } from './client.ts'
import { migrate } from './migrate.ts'
import type { Migration } from './migration.ts'
import { migrations } from './migrations/index.ts'
import { restore } from './restore.ts'
import { readTableShapes, sortByReference } from './table-shapes.ts'

function makeFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-backup-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'backup.gz')
}

const strange = `'"\\%_\n\r\t\u0001\u2028😀 é {"a":1}`

/** A child comes before its parent in the alphabet, numbers and texts are at their limits, a column is empty. */
async function fill(database: Database): Promise<void> {
  const now = { version: 1, created_at_ms: Number.MAX_SAFE_INTEGER, updated_at_ms: 0 }
  await database.write(async (transaction) => {
    const workspace = { id: 'w1', name: 'main', title: strange, settings: '{}', ...now }
    await transaction.insertInto('workspaces').values(workspace).execute()
    const texts = { search: '', facets: '', source: '', updated_by: 'me' }
    for (let index = 0; index < 250; index++) {
      // One document is longer than what is read of the file at once.
      const spec = 'é'.repeat(index === 100 ? 1_500_000 : 500)
      const place = { id: `r${index}`, workspace_id: 'w1', kind: 'consumer', parent_id: '', environment: '' }
      await transaction
        .insertInto('resources')
        .values({ ...place, name: `consumer ${index}`, spec, ...texts, ...now })
        .execute()
    }
    const key = { id: 'c1', workspace_id: 'w1', consumer_id: 'r249', name: 'key', hash: 'h', prefix: 'p', ...now }
    await transaction
      .insertInto('credentials')
      .values({ ...key, expires_at_ms: null, revoked_at_ms: 7 })
      .execute()
  })
}

/** Everything that is in the store, each table in one order. */
async function readAll(database: Database): Promise<Record<string, unknown[]>> {
  const all: Record<string, unknown[]> = {}
  for (const { name } of await readTableShapes(database.read, database.dialect)) {
    const { rows } = await sql`select * from ${sql.table(name)} order by 1, 2`.execute(database.read)
    all[name] = rows
  }
  return all
}

async function makeBackup(database: Database): Promise<string> {
  const file = makeFile()
  await backup(database, file)
  return file
}

/** The backup with other lines. */
function rewrite(file: string, change: (lines: string[]) => readonly string[]): void {
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
  writeFileSync(file, gzipSync(`${change(lines).join('\n')}\n`))
}

describeOnEveryStore('a backup', (store) => {
  test('brings everything back into an empty store, to the last character', async () => {
    const database = await store.open()
    await fill(database)
    const file = makeFile()
    expect(await backup(database, file)).toEqual({ rows: 252 })
    const other = await (await store.place({ migrated: false })).open()
    expect(await restore(other, file)).toEqual({ rows: 252 })
    expect(await readAll(other)).toEqual(await readAll(database))
    expect(await migrate(other)).toEqual([])
  })

  test('shows one moment, whatever is written meanwhile', async () => {
    const database = await store.open()
    await fill(database)
    const before = await readAll(database)
    const file = makeFile()
    const written = backup(database, file)
    await database.write(async (transaction) => {
      await transaction.deleteFrom('credentials').execute()
      await transaction.updateTable('resources').set({ spec: 'changed' }).execute()
    })
    await written
    const other = await store.open()
    await restore(other, file)
    const restored = await readAll(other)
    // It began before or after the change, and shows either all of that or nothing.
    const moment = restored['credentials']?.length === 1 ? before : await readAll(database)
    expect(restored).toEqual(moment)
  })

  test('is a file of its owner alone that appears when it is complete', async () => {
    const database = await store.open()
    const file = await makeBackup(database)
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
    await backup(database, file)
    expect(readdirSync(join(file, '..'))).toEqual(['backup.gz'])
    const missing = join(file, '..', 'none', 'backup.gz')
    await expect(backup(database, missing)).rejects.toThrow('ENOENT')
  })

  test('does not replace what is there, unless told to', async () => {
    const database = await store.open()
    await fill(database)
    const file = await makeBackup(database)
    const other = await store.open()
    await other.write((transaction) => transaction.insertInto('meta').values({ name: 'own', value: '' }).execute())
    const before = await readAll(other)
    await expect(restore(other, file)).rejects.toThrow('The store is not empty.')
    expect(await readAll(other)).toEqual(before)
    await restore(other, file, { force: true })
    expect(await readAll(other)).toEqual(await readAll(database))
  })

  const damages: Record<string, (file: string) => void> = {
    'is cut off': (file) => writeFileSync(file, readFileSync(file).subarray(0, -40)),
    'has another byte': (file) => {
      const bytes = readFileSync(file)
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
      writeFileSync(file, bytes)
    },
    'is something else': (file) => writeFileSync(file, 'hello'),
    'is something else that is compressed': (file) => writeFileSync(file, gzipSync('{"hello":1}\n')),
    'is empty': (file) => writeFileSync(file, ''),
    'lost a row': (file) => rewrite(file, (lines) => lines.toSpliced(-3, 1)),
    'lost its end': (file) => rewrite(file, (lines) => lines.slice(0, -1)),
    'goes on after its end': (file) => rewrite(file, (lines) => [...lines, '["a"]']),
    'has a changed value': (file) => rewrite(file, (lines) => lines.map((line) => line.replace('main', 'nain'))),
  }
  for (const [what, damage] of Object.entries(damages)) {
    test(`is refused when it ${what}, and nothing is changed`, async () => {
      const database = await store.open()
      await fill(database)
      const file = await makeBackup(database)
      damage(file)
      const before = await readAll(database)
      await expect(restore(database, file, { force: true })).rejects.toThrow(BackupError)
      expect(await readAll(database)).toEqual(before)
    })
  }

  test('of a newer program or format is refused, and nothing is changed', async () => {
    const database = await store.open()
    const file = await makeBackup(database)
    const known = migrations.slice(0, -1)
    await expect(restore(database, file, { migrations: known })).rejects.toThrow('made by a newer Headgate (it has')
    rewrite(file, (lines) => lines.map((line) => line.replace('"formatVersion":1', '"formatVersion":2')))
    await expect(restore(database, file)).rejects.toThrow('in a format that this one does not know')
  })

  test('of an older program is brought to what this one knows', async () => {
    const older = migrations.slice(0, 1)
    const database = await (await store.place({ migrated: false })).open()
    await migrate(database, older)
    await database.write((transaction) => transaction.insertInto('meta').values({ name: 'a', value: 'b' }).execute())
    const file = await makeBackup(database)
    const next: Migration = { name: '9999-next', up: ({ run }) => run('ALTER TABLE meta ADD COLUMN note TEXT') }
    const other = await store.open()
    await restore(other, file, { migrations: [...migrations, next] })
    expect((await readAll(other))['meta']).toEqual([{ name: 'a', value: 'b', note: null }])
  })
})

describeOnPostgres('a backup from SQLite', (store) => {
  test('can be restored to PostgreSQL, and back again', async () => {
    const sqlite = await testDatabase('sqlite')
    await fill(sqlite)
    const postgres = await store.open()
    await restore(postgres, await makeBackup(sqlite))
    expect(await readAll(postgres)).toEqual(await readAll(sqlite))
    const again = await testDatabase('sqlite')
    await restore(again, await makeBackup(postgres))
    expect(await readAll(again)).toEqual(await readAll(sqlite))
  })
})

test('tables that refer to each other in a circle have no order', () => {
  const shapes = ['a', 'b', 'c'].map((name) => ({ name, columns: [] }))
  const refer = (from_table: string, to_table: string) => ({ from_table, to_table })
  const sorted = sortByReference(shapes, [refer('a', 'c'), refer('b', 'a')])
  expect(sorted.map(({ name }) => name)).toEqual(['c', 'a', 'b'])
  expect(() => sortByReference(shapes, [refer('a', 'b'), refer('b', 'a')])).toThrow('in a circle: a, b')
})
