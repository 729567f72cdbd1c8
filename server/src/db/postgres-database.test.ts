import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { sql } from 'kysely'
import { Client } from 'pg'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { describeOnPostgres, type StorePlace } from '../../test/database.ts'
import type { Database, Work } from './client.ts'
import { isConflict, isUnavailable } from './errors.ts'
import { openPostgres } from './postgres-database.ts'

const log = pino({ level: 'silent' })

const insert =
  (name: string): Work<unknown> =>
  (transaction) =>
    transaction.insertInto('meta').values({ name, value: '' }).execute()

const readNames = async (database: Database): Promise<string[]> =>
  (await database.read.selectFrom('meta').select('name').orderBy('name').execute()).map(({ name }) => name)

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable('It should have failed.'),
    (error: unknown) => error,
  )

/** Ends all connections to the database but the one that asks, as a restart or an operator does. */
const endOthers = (stranger: Client): Promise<unknown> =>
  stranger.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`)

/** A way to the server that can fall silent without closing, as a network does. */
async function openLine(url: string): Promise<{ url: string; fallSilent(): void }> {
  const { port, hostname } = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}))
    near.pipe(far).pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const own = new URL(url)
  own.port = String((server.address() as AddressInfo).port)
  const fallSilent = (): void => {
    for (const socket of sockets) socket.unpipe().pause()
  }
  return { url: own.href, fallSilent }
}

/** Somebody who writes to the database without asking Headgate. */
async function connectStranger(place: StorePlace): Promise<Client> {
  const client = new Client({ connectionString: urlOf(place) })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

const urlOf = ({ url }: StorePlace): string => url ?? expect.unreachable('The place is on PostgreSQL.')

describeOnPostgres('the store', (store) => {
  test('commits to disk before it acknowledges, also where the database would not', async () => {
    const place = await store.place()
    const name = new URL(urlOf(place)).pathname.slice(1)
    const first = await place.open()
    await first.writeAlone((transaction) =>
      sql`alter database ${sql.id(name)} set synchronous_commit = off`.execute(transaction),
    )
    const database = await place.open()
    const settings = sql`select current_setting('synchronous_commit') as commit,
      current_setting('statement_timeout') as statement, current_setting('idle_in_transaction_session_timeout') as idle`
    expect((await settings.execute(database.read)).rows).toEqual([{ commit: 'on', statement: '30s', idle: '10s' }])
  })

  test('writes serializable, and runs again what a stranger was in the way of', async () => {
    const place = await store.place()
    const database = await place.open()
    const stranger = await connectStranger(place)
    await database.write(insert('a'))
    let runs = 0
    const level = await database.write(async (transaction) => {
      runs++
      const { rows } = await sql<{ level: string }>`select current_setting('transaction_isolation') as level,
        (select count(*) from meta)`.execute(transaction)
      if (runs === 1) await stranger.query(`update meta set value = 'other'`)
      await transaction.updateTable('meta').set({ value: 'own' }).execute()
      return rows[0]?.level
    })
    expect([level, runs]).toEqual(['serializable', 2])
  })

  test('reads while writes wait for another process that is writing', async () => {
    const place = await store.place()
    const [database, other] = [await place.open(), await place.open()]
    const isWriting = Promise.withResolvers<void>()
    const mayEnd = Promise.withResolvers<void>()
    const long = other.write(async (transaction) => {
      await insert('first')(transaction)
      isWriting.resolve()
      await mayEnd.promise
    })
    await isWriting.promise
    const writes = Array.from({ length: 20 }, (_, index) => database.write(insert(`next ${index}`)))
    expect(await Promise.all(Array.from({ length: 20 }, () => readNames(database)))).toEqual(Array(20).fill([]))
    mayEnd.resolve()
    await Promise.all([long, ...writes])
    expect(await readNames(database)).toHaveLength(21)
  })

  test('refuses a number that JavaScript cannot hold', async () => {
    const database = await store.open()
    await expect(sql`select 9007199254740993 as large`.execute(database.read)).rejects.toThrow('too large')
    await expect(sql`select 9007199254740993::numeric as large`.execute(database.read)).rejects.toThrow('too large')
  })

  test('says that it is unavailable when the server is not there', async () => {
    const failure = await failureOf(openPostgres({ url: 'postgres://headgate@127.0.0.1:1/none', log }))
    expect(isUnavailable(failure)).toBe(true)
    expect(String(failure)).toContain('The database cannot be used: connect ECONNREFUSED 127.0.0.1:1')
  })

  test('says that it is unavailable when the connection is lost in the middle of a write, and goes on with another', async () => {
    const place = await store.place()
    const [database, stranger] = [await place.open(), await connectStranger(place)]
    const failure = await failureOf(
      database.write(async (transaction) => {
        await insert('lost')(transaction)
        await endOthers(stranger)
        await insert('more')(transaction)
      }),
    )
    expect([isUnavailable(failure), isConflict(failure)]).toEqual([true, false])
    await database.write(insert('next'))
    expect(await readNames(database)).toEqual(['next'])
  })

  test('goes on when idle connections were ended', async () => {
    const place = await store.place()
    const [database, stranger] = [await place.open(), await connectStranger(place)]
    await Promise.all(Array.from({ length: 5 }, () => readNames(database)))
    await endOthers(stranger)
    // A connection that was ended a moment ago may not know it yet; none is given out twice.
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => readNames(database)))
    const lost = results.filter((result) => result.status === 'rejected')
    expect(lost.every(({ reason }) => isUnavailable(reason))).toBe(true)
    expect(await readNames(database)).toEqual([])
  })

  test('gives up a connection that says nothing any more', async () => {
    const place = await store.place()
    const line = await openLine(urlOf(place))
    const database = await openPostgres({ url: line.url, log, answerTimeoutMs: 1500 })
    onTestFinished(() => database.close())
    expect(await readNames(database)).toEqual([])
    line.fallSilent()
    const failure = await failureOf(readNames(database))
    expect(String(failure)).toBe('StoreUnavailableError: The database did not answer in time.')
    expect(isUnavailable(failure)).toBe(true)
    // New connections reach the server again.
    await database.write(insert('next'))
    expect(await readNames(database)).toEqual(['next'])
  })

  test('tells listeners of every process what is notified, until they leave', async () => {
    const place = await store.place()
    const [first, second] = [await place.open(), await place.open()]
    const heard: string[] = []
    let next = Promise.withResolvers<void>()
    const hear = (listener: string, payload = ''): void => {
      heard.push(`${listener} ${payload}`)
      if (payload === 'end' || heard.length === 2) next.resolve()
    }
    const leave = await first.listen('Changes "1"', (payload) => hear('first', payload))
    await second.listen('Changes "1"', (payload) => hear('second', payload))
    await second.notify('Changes "1"', 'it’s new')
    await next.promise
    next = Promise.withResolvers<void>()
    await leave()
    await first.notify('Changes "1"', 'end')
    await next.promise
    expect(new Set(heard)).toEqual(new Set(['first it’s new', 'second it’s new', 'second end']))
    await expect(first.notify('Changes "1"', 'x'.repeat(8000))).rejects.toThrow('too long')
  })

  test('listens again after the connection was lost, and has its listeners look for themselves', async () => {
    const place = await store.place()
    const [database, stranger] = [await place.open(), await connectStranger(place)]
    const heard: unknown[] = []
    let next = Promise.withResolvers<void>()
    await database.listen('changes', (payload) => {
      heard.push(payload)
      next.resolve()
    })
    await endOthers(stranger)
    await next.promise
    next = Promise.withResolvers<void>()
    await stranger.query(`notify changes, 'news'`)
    await next.promise
    expect(heard).toEqual([undefined, 'news'])
  })
})
