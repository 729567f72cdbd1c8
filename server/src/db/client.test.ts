import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../test/database.ts'
import type { Database, Work } from './client.ts'
import { isForeignKeyViolation, isUniqueViolation } from './errors.ts'

/** What stands under a name; each test has a store to itself. */
async function readMeta(database: Database, name: string): Promise<string | undefined> {
  const row = await database.read.selectFrom('meta').select('value').where('name', '=', name).executeTakeFirst()
  return row?.value
}

const insert =
  (name: string, value = ''): Work<unknown> =>
  (transaction) =>
    transaction.insertInto('meta').values({ name, value }).execute()

/** Reads a number, and writes it one larger. */
const increment: Work<void> = async (transaction) => {
  const row = await transaction.selectFrom('meta').select('value').where('name', '=', 'count').executeTakeFirst()
  if (!row) await insert('count', '1')(transaction)
  await transaction
    .updateTable('meta')
    .set({ value: String(Number(row?.value ?? 0) + 1) })
    .where('name', '=', 'count')
    .execute()
}

/** The error that a promise is rejected with. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('It should have failed.'),
    (error: unknown) => error,
  )
}

describeOnEveryStore('the store', (store) => {
  test('keeps what was written, for whoever opens it next', async () => {
    const place = await store.place()
    const first = await place.open()
    await first.write(insert('a', 'b'))
    expect(await readMeta(first, 'a')).toBe('b')
    await first.close()
    expect(await readMeta(await place.open(), 'a')).toBe('b')
  })

  test('changes nothing when the work fails, and says why it failed', async () => {
    const database = await store.open()
    const work: Work<void> = async (transaction) => {
      await insert('a')(transaction)
      throw new RangeError('no')
    }
    await expect(database.write(work)).rejects.toThrow(new RangeError('no'))
    expect(await readMeta(database, 'a')).toBeUndefined()
    await database.write(insert('a'))
  })

  test('returns what the work returns', async () => {
    const database = await store.open()
    expect(await database.write(async () => 'done')).toBe('done')
  })

  test('refuses to write where it reads', async () => {
    const database = await store.open()
    const writing = database.read.insertInto('meta').values({ name: 'a', value: '' }).execute()
    await expect(writing).rejects.toThrow(/read-?only/)
    await expect(sql`create table other (a text)`.execute(database.read)).rejects.toThrow(/read-?only/)
    expect(await readMeta(database, 'a')).toBeUndefined()
  })

  test('loses no update of those that come at the same time through two connections', async () => {
    const place = await store.place()
    const databases = [await place.open(), await place.open()]
    await Promise.all(databases.flatMap((database) => Array.from({ length: 15 }, () => database.write(increment))))
    expect(await readMeta(databases[0] ?? (await place.open()), 'count')).toBe('30')
  })

  test('lets only one of two succeed that each found the other absent', async () => {
    const place = await store.place()
    const databases = [await place.open(), await place.open()]
    const claim =
      (own: string): Work<boolean> =>
      async (transaction) => {
        const others = await transaction.selectFrom('meta').select('name').where('value', '=', 'claimed').execute()
        if (others.length > 0) return false
        await insert(own, 'claimed')(transaction)
        return true
      }
    const won = await Promise.all(databases.map((database, index) => database.write(claim(`claim ${index}`))))
    expect(won.filter(Boolean)).toEqual([true])
  })

  test('shows a reader one moment within a reading transaction', async () => {
    const database = await store.open()
    const count = sql<{ count: number }>`select count(*) as count from meta`
    await database.read
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (transaction) => {
        await count.execute(transaction)
        await database.write(insert('a'))
        expect((await count.execute(transaction)).rows).toEqual([{ count: 0 }])
      })
    expect((await count.execute(database.read)).rows).toEqual([{ count: 1 }])
  })

  test('undoes to a savepoint and keeps the rest', async () => {
    const database = await store.open()
    await database.write(async (transaction) => {
      await insert('kept')(transaction)
      await sql`savepoint before`.execute(transaction)
      await insert('undone')(transaction)
      await sql`rollback to before`.execute(transaction)
    })
    expect(await readMeta(database, 'kept')).toBe('')
    expect(await readMeta(database, 'undone')).toBeUndefined()
  })

  test('tells violated keys from other failures', async () => {
    const database = await store.open()
    await database.write(insert('a'))
    const twice = await failureOf(database.write(insert('a')))
    expect([isUniqueViolation(twice), isForeignKeyViolation(twice)]).toEqual([true, false])
    await database.write((transaction) =>
      sql`create table child (parent text not null references meta (name))`.execute(transaction),
    )
    const adopt = (parent: string): Work<unknown> => {
      return (transaction) => sql`insert into child values (${parent})`.execute(transaction)
    }
    await database.write(adopt('a'))
    const orphan = await failureOf(database.write(adopt('none')))
    const removal = await failureOf(database.write((transaction) => transaction.deleteFrom('meta').execute()))
    expect([orphan, removal].map(isForeignKeyViolation)).toEqual([true, true])
    expect(isUniqueViolation(orphan)).toBe(false)
  })

  test('returns counts, sums and times as numbers, and truth as 0 or 1', async () => {
    const database = await store.open()
    const large = Number.MAX_SAFE_INTEGER
    await database.write((transaction) =>
      sql`insert into leases values ('a', 'b', ${large}, 7), ('c', 'd', 0, 8)`.execute(transaction),
    )
    const { rows } = await sql`select count(*) as count, sum(fencing_token) as sum, max(expires_at_ms) as latest,
      exists (select 1 from leases) as found, 1 = 2 as wrong from leases`.execute(database.read)
    expect(rows).toEqual([{ count: 2, sum: 15, latest: large, found: 1, wrong: 0 }])
  })

  test('refuses a text that PostgreSQL could not keep', async () => {
    const database = await store.open()
    await expect(database.write(insert('a\0b'))).rejects.toThrow(/NUL|0x00/)
  })

  test('keeps every other text as it is', async () => {
    const database = await store.open()
    const text = `'"\\%_\n\r\t\u0001\u2028😀 é e\u0301`
    await database.write(insert('a', text))
    expect(await readMeta(database, 'a')).toBe(text)
  })

  test('finds a pattern in its own case only', async () => {
    const database = await store.open()
    await database.write(insert('Apple'))
    const find = (pattern: string) => database.read.selectFrom('meta').select('name').where('name', 'like', pattern)
    expect(await find('app%').execute()).toEqual([])
    expect(await find('App%').execute()).toEqual([{ name: 'Apple' }])
  })

  test('refuses to work when it is closed', async () => {
    const database = await store.open()
    await database.close()
    await expect(database.write(insert('a'))).rejects.toThrow('The store is closed.')
    await expect(readMeta(database, 'a')).rejects.toThrow(/closed|after calling end/)
    await database.close()
  })

  test('refuses a write within a write, which would wait for itself', async () => {
    const database = await store.open()
    const nested = database.write(() => database.write(insert('a')))
    await expect(nested).rejects.toThrow('A write cannot begin within another write.')
    let later: Promise<unknown> = Promise.resolve()
    const isOver = Promise.withResolvers<void>()
    await database.write(async () => {
      later = isOver.promise.then(() => database.write(insert('b')))
    })
    isOver.resolve()
    await later
    expect(await readMeta(database, 'b')).toBe('')
  })

  test('finishes what was asked of it before it closes', async () => {
    const place = await store.place()
    const database = await place.open()
    const writes = Array.from({ length: 5 }, () => database.write(increment))
    await database.close()
    await Promise.all(writes)
    expect(await readMeta(await place.open(), 'count')).toBe('5')
  })
})
