import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../test/database.ts'
import type { Database } from './client.ts'
import { migrate, MigrationError } from './migrate.ts'
import { readChecksum } from './migration-checksum.ts'
import type { Migration } from './migration.ts'
import { migrations } from './migrations/index.ts'

const first: Migration = {
  name: '0001-first',
  up: ({ run }) => run('CREATE TABLE pets (name TEXT)'),
}
const second: Migration = {
  name: '0002-second',
  async up({ run, database }) {
    await run('ALTER TABLE pets ADD COLUMN legs INTEGER')
    await sql`update pets set legs = ${4}`.execute(database)
  },
}
const broken: Migration = {
  name: '0003-broken',
  async up({ run }) {
    await run('CREATE TABLE toys (name TEXT)')
    await run('INSERT INTO nothing VALUES (1)')
  },
}

const readPets = async (database: Database) => (await sql`select * from pets`.execute(database.read)).rows

describeOnEveryStore('migrating', (store) => {
  test('applies what is missing, in order, and keeps the rows', async () => {
    const database = await (await store.place({ migrated: false })).open()
    expect(await migrate(database, [first])).toEqual(['0001-first'])
    await database.write((transaction) => sql`insert into pets values ('Rex')`.execute(transaction))
    expect(await migrate(database, [first, second])).toEqual(['0002-second'])
    expect(await migrate(database, [first, second])).toEqual([])
    expect(await readPets(database)).toEqual([{ name: 'Rex', legs: 4 }])
  })

  test('changes nothing at all when one step fails', async () => {
    const database = await (await store.place({ migrated: false })).open()
    await expect(migrate(database, [first, second, broken])).rejects.toThrow('nothing')
    await expect(readPets(database)).rejects.toThrow('pets')
    expect(await migrate(database, [first, second])).toEqual(['0001-first', '0002-second'])
    await expect(migrate(database, [first, second, broken])).rejects.toThrow('nothing')
    await expect(sql`select * from toys`.execute(database.read)).rejects.toThrow('toys')
  })

  test('refuses the data of a newer program, and changes nothing', async () => {
    const database = await (await store.place({ migrated: false })).open()
    await migrate(database, [first, second])
    await expect(migrate(database, [first])).rejects.toThrow(
      new MigrationError(
        'The data was last used by a newer Headgate (it has 0002-second, which this one does not know). Start that ' +
          'version or a newer one, or restore a backup made by this version.',
      ),
    )
    expect(await migrate(database, [first, second])).toEqual([])
  })

  test('refuses data that another line of the program made', async () => {
    const database = await (await store.place({ migrated: false })).open()
    await migrate(database, [first])
    const changed: Migration = { name: '0001-first', up: second.up }
    await expect(migrate(database, [changed, second])).rejects.toThrow(
      'has 0001-first where this one has 0001-first with other statements',
    )
    const renamed: Migration = { ...first, name: '0001-other' }
    await expect(migrate(database, [renamed])).rejects.toThrow('it has 0001-first where this one has 0001-other')
  })

  test('is done once when several processes start at the same moment', async () => {
    const place = await store.place({ migrated: false })
    const databases = await Promise.all(Array.from({ length: 4 }, () => place.open()))
    const applied = await Promise.all(databases.map((database) => migrate(database)))
    expect(applied.flat()).toEqual(migrations.map(({ name }) => name))
  })

  test('makes columns that both stores sort alike, by their bytes, and that hold one kind of value', async () => {
    const database = await store.open()
    const names = ['é', 'a', 'Z', 'a b', 'ab', 'B', '_', '😀']
    await database.write((transaction) =>
      transaction
        .insertInto('meta')
        .values(names.map((name) => ({ name, value: '' })))
        .execute(),
    )
    const rows = await database.read.selectFrom('meta').select('name').orderBy('name').execute()
    expect(rows.map(({ name }) => name)).toEqual(['B', 'Z', '_', 'a', 'a b', 'ab', 'é', '😀'])
    const insertWrong = sql`insert into leases values ('a', 'b', ${'soon'}, 1)`
    await expect(database.write((transaction) => insertWrong.execute(transaction))).rejects.toThrow(/soon|TEXT value/)
  })

  test('knows each migration by its statements', async () => {
    const checksums = await Promise.all([first, second, first].map((each) => readChecksum(each, store.dialect)))
    expect(checksums[0]).toMatch(/^[0-9a-f]{64}$/)
    expect(checksums[2]).toBe(checksums[0])
    expect(checksums[1]).not.toBe(checksums[0])
  })
})
