import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeOnEveryStore, type TestStore } from '../../test/database.ts'
import type { Database } from './client.ts'
import { createLease, LeaseLostError, type Lease } from './lease.ts'

const durationMs = 1000
/** Other clocks may differ by this much. */
const skewMs = 2000

/** Time for several processes, whose wall clocks disagree. */
function createTime() {
  let ms = 1_000_000
  return {
    advance: (byMs: number) => void (ms += byMs),
    clockAt: (offsetMs: number) => ({ now: () => ms + offsetMs, monotonicMs: () => ms }),
  }
}

async function openLeases(store: TestStore, offsetsMs: readonly number[]) {
  const place = await store.place()
  const time = createTime()
  const leases = await Promise.all(
    offsetsMs.map(async (offsetMs, index) => {
      const database = await place.open()
      const clock = time.clockAt(offsetMs)
      return { database, lease: createLease(database, 'rollups', clock, { holder: `process ${index}`, durationMs }) }
    }),
  )
  return { time, leases }
}

/** A change that only the holder may make: who made it goes to the end of a list. */
const writeGuarded = (database: Database, lease: Lease): Promise<unknown> =>
  database.write(async (transaction) => {
    await lease.guard(transaction)
    const row = await transaction.selectFrom('meta').select('value').where('name', '=', 'made').executeTakeFirst()
    const value = `${row?.value ?? ''} ${lease.fencingToken() ?? 'late'}`.trim()
    const query = transaction.insertInto('meta').values({ name: 'made', value })
    return query.onConflict((conflict) => conflict.column('name').doUpdateSet({ value })).execute()
  })

describeOnEveryStore('a lease', (store) => {
  test('has one holder of several that ask at once', async () => {
    const { leases } = await openLeases(store, [0, 0, 0, 0])
    const won = await Promise.all(leases.map(({ lease }) => lease.acquire()))
    expect(won.filter(Boolean)).toEqual([true])
    expect(leases.map(({ lease }) => lease.isHeld())).toEqual(won)
  })

  test('stays with its holder while that prolongs it', async () => {
    const { time, leases } = await openLeases(store, [0, 0])
    const [first, second] = leases.map(({ lease }) => lease)
    await first?.acquire()
    for (let round = 0; round < 8; round++) {
      time.advance(durationMs * 0.9)
      expect([await first?.renew(), await second?.acquire()]).toEqual([true, false])
    }
    expect(first?.fencingToken()).toBe(1)
  })

  test('goes to another when its holder is silent for too long, who then knows', async () => {
    const { time, leases } = await openLeases(store, [0, 0])
    const [first, second] = leases.map(({ lease }) => lease)
    await first?.acquire()
    time.advance(durationMs)
    expect([first?.isHeld(), first?.fencingToken(), await second?.acquire()]).toEqual([false, undefined, false])
    time.advance(skewMs)
    expect([await second?.acquire(), second?.fencingToken()]).toEqual([true, 2])
    expect([await first?.renew(), await first?.acquire(), first?.isHeld()]).toEqual([false, false, false])
  })

  test('is free at once when it is given back, and only then', async () => {
    const { leases } = await openLeases(store, [0, 0])
    const [first, second] = leases.map(({ lease }) => lease)
    await first?.acquire()
    await second?.release()
    expect(await second?.acquire()).toBe(false)
    await first?.release()
    expect([first?.isHeld(), await first?.renew()]).toEqual([false, false])
    expect([await second?.acquire(), second?.fencingToken()]).toEqual([true, 2])
    await first?.release()
    expect(await second?.renew()).toBe(true)
  })

  test('undoes a guarded change of a holder that was replaced', async () => {
    const { time, leases } = await openLeases(store, [0, 0])
    const [first, second] = leases
    if (!first || !second) throw new Error('There are two.')
    await first.lease.acquire()
    await writeGuarded(first.database, first.lease)
    time.advance(durationMs + skewMs)
    await second.lease.acquire()
    await expect(writeGuarded(first.database, first.lease)).rejects.toThrow(LeaseLostError)
    await writeGuarded(second.database, second.lease)
    const row = await first.database.read
      .selectFrom('meta')
      .select('value')
      .where('name', '=', 'made')
      .executeTakeFirst()
    expect(row?.value).toBe('1 2')
  })

  test('is never believed to be held by two, whatever they do in whatever order', { timeout: 60_000 }, async () => {
    const place = await store.place()
    const database = await place.open()
    const step = fc.record({
      process: fc.nat({ max: 2 }),
      verb: fc.constantFrom('acquire', 'renew', 'release', 'guarded', 'wait', 'wait long'),
      byMs: fc.nat({ max: durationMs }),
    })
    const offsets = fc.tuple(...Array.from({ length: 3 }, () => fc.integer({ min: -skewMs / 2, max: skewMs / 2 })))
    const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), offsets, async (steps, offsetsMs) => {
      await database.write(async (transaction) => {
        await transaction.deleteFrom('leases').execute()
        await transaction.deleteFrom('meta').execute()
      })
      const time = createTime()
      const leases = offsetsMs.map((offsetMs, index) =>
        createLease(database, 'rollups', time.clockAt(offsetMs), { holder: `process ${index}`, durationMs }),
      )
      for (const { process, verb, byMs } of steps) {
        const lease = leases[process]
        if (verb === 'wait' || verb === 'wait long') time.advance(verb === 'wait' ? byMs : byMs + skewMs)
        else if (verb !== 'guarded') await lease?.[verb]()
        else if (lease)
          await writeGuarded(database, lease).catch((error: unknown) => expect(error).toBeInstanceOf(LeaseLostError))
        expect(leases.filter((each) => each.isHeld()).length).toBeLessThan(2)
      }
      const row = await database.read.selectFrom('meta').select('value').where('name', '=', 'made').executeTakeFirst()
      const tokens = (row?.value ?? '')
        .split(' ')
        .filter((token) => token !== 'late')
        .map(Number)
      expect(tokens).toEqual(tokens.toSorted((a, b) => a - b))
    })
    await fc.assert(property, { numRuns: store.dialect === 'sqlite' ? 100 : 30 })
  })
})
