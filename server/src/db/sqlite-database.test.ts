import { readFile } from 'node:fs/promises'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { sql } from 'kysely'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { testDatabase } from '../../test/database.ts'
import { openDatabase, type Database, type Work } from './client.ts'
import { migrate } from './migrate.ts'
import { TransactionWaitedError } from './sqlite-driver.ts'

const log = pino({ level: 'silent' })

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function openAt(folder: string): Promise<Database> {
  const database = await openDatabase({ folder, log })
  onTestFinished(() => database.close())
  await migrate(database)
  return database
}

/** Another process that is in the middle of a write. */
function holdLock(folder: string): Sqlite.Database {
  const other = new Sqlite(join(folder, 'headgate.sqlite'))
  onTestFinished(() => void other.close())
  other.exec('begin immediate')
  return other
}

const insert =
  (name: string): Work<unknown> =>
  (transaction) =>
    transaction.insertInto('meta').values({ name, value: '' }).execute()

const readNames = async (database: Database): Promise<string[]> =>
  (await database.read.selectFrom('meta').select('name').orderBy('name').execute()).map(({ name }) => name)

describe('a write on SQLite that awaits something other than its own queries', () => {
  const foreign: Record<string, () => Promise<unknown>> = {
    'a turn of the event loop': () => nextTurn(),
    'a tick': () => new Promise<void>((resolve) => process.nextTick(resolve)),
    'a file': () => readFile(import.meta.filename),
    'a time': () => new Promise((resolve) => setTimeout(resolve, 0)),
    'what never happens': () => new Promise(() => {}),
  }
  for (const [what, wait] of Object.entries(foreign)) {
    test(`is refused and changes nothing: ${what}`, async () => {
      const database = await testDatabase('sqlite')
      const work: Work<void> = async (transaction) => {
        await insert('before')(transaction)
        await wait()
        await insert('after')(transaction)
      }
      await expect(database.write(work)).rejects.toThrow(TransactionWaitedError)
      expect(await readNames(database)).toEqual([])
      await database.write(insert('next'))
      expect(await readNames(database)).toEqual(['next'])
    })
  }

  test('cannot change anything later, not even within the next write', async () => {
    const database = await testDatabase('sqlite')
    let resume = (): void => {}
    const paused = new Promise<void>((resolve) => (resume = resolve))
    let late: Promise<unknown> = Promise.resolve()
    const refused = database.write((transaction) => {
      late = paused.then(() => insert('late')(transaction))
      return late
    })
    await expect(refused).rejects.toThrow(TransactionWaitedError)
    await database.write(async (transaction) => {
      resume()
      await late.catch(() => undefined)
      await insert('own')(transaction)
    })
    await expect(late).rejects.toThrow(TransactionWaitedError)
    expect(await readNames(database)).toEqual(['own'])
  })

  test('may be long, as long as it awaits its own queries', async () => {
    const database = await testDatabase('sqlite')
    await database.write(async (transaction) => {
      for (let index = 0; index < 1000; index++) await insert(`row ${index}`)(transaction)
      await Promise.all([insert('a')(transaction), insert('b')(transaction)])
      await Promise.resolve().then(() => insert('c')(transaction))
    })
    expect(await readNames(database)).toHaveLength(1003)
  })
})

describe('a store on SQLite', () => {
  test('is a file of its owner alone, in a folder of its owner alone', async () => {
    const folder = join(makeFolder(), 'new', 'data')
    const database = await openAt(folder)
    await database.write(insert('a'))
    const modes = ['', 'headgate.sqlite', 'headgate.sqlite-wal', 'headgate.sqlite-shm'].map((name) =>
      (statSync(join(folder, name)).mode & 0o777).toString(8),
    )
    expect(modes).toEqual(['700', '600', '600', '600'])
  })

  test('syncs every commit, in WAL mode, and enforces references', async () => {
    const database = await testDatabase('sqlite')
    const settings = await database.write(async (transaction) => {
      const read = async (name: string) => (await sql.raw(`pragma ${name}`).execute(transaction)).rows[0]
      return Promise.all(['journal_mode', 'synchronous', 'foreign_keys'].map(read))
    })
    expect(settings).toEqual([{ journal_mode: 'wal' }, { synchronous: 2 }, { foreign_keys: 1 }])
  })

  test('says which file it cannot open', async () => {
    const folder = makeFolder()
    mkdirSync(join(folder, 'headgate.sqlite'))
    await expect(openDatabase({ folder, log })).rejects.toThrow(`${folder}/headgate.sqlite cannot be opened`)
  })

  test('lets more transactions read at once than it has connections', async () => {
    const database = await testDatabase('sqlite')
    let begun = 0
    const reading = Array.from({ length: 30 }, () =>
      database.read.transaction().execute(async (transaction) => {
        begun++
        await transaction.selectFrom('meta').selectAll().execute()
        await nextTurn()
        return begun
      }),
    )
    expect((await Promise.all(reading)).at(-1)).toBe(30)
  })

  test('reads on while another process writes, and writes when that is done', async () => {
    const folder = makeFolder()
    const database = await openAt(folder)
    const other = holdLock(folder)
    other.prepare('insert into meta values (?, ?)').run('other', '')
    const write = database.write(insert('own'))
    expect(await readNames(database)).toEqual([])
    // The thread is not blocked by the wait: a timer fires.
    await new Promise((resolve) => setTimeout(resolve, 1))
    other.exec('commit')
    await write
    expect(await readNames(database)).toEqual(['other', 'own'])
  })

  test('goes on from a file whose writer was lost in the middle of a transaction', async () => {
    const folder = makeFolder()
    const database = await openAt(folder)
    await database.write(insert('kept'))
    const other = holdLock(folder)
    other.prepare('insert into meta values (?, ?)').run('lost', '')
    other.close()
    await database.write(insert('next'))
    expect(await readNames(database)).toEqual(['kept', 'next'])
  })

  test('tells listeners of this process what is notified, until they leave', async () => {
    const database = await testDatabase('sqlite')
    const heard: unknown[] = []
    const leave = await database.listen('changes', (payload) => heard.push(payload))
    await database.listen('other', (payload) => heard.push(`other ${payload}`))
    await database.notify('changes', 'first')
    await nextTurn()
    await leave()
    await database.notify('changes', 'second')
    await database.notify('other', 'third')
    await nextTurn()
    expect(heard).toEqual(['first', 'other third'])
  })
})
