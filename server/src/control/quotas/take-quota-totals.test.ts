import { expect, test } from 'vitest'
import { describeOnEveryStore } from '../../../test/database.ts'
import { testControl, type TestControl } from '../../../test/test-control.ts'
import { testClock } from '../../../test/test-services.ts'
import { MOST_COUNTED, MOST_NAMES, takeRoom } from './believable-totals.ts'
import { removeOldCounts } from './remove-old-counts.ts'

type Total = readonly [policy: string, key: string, startMs: number, endMs: number, own: number]

const startMs = Date.UTC(2026, 10, 1)
const endMs = Date.UTC(2026, 11, 1)
const midMs = Date.UTC(2026, 10, 15)

const total = (key: string, own: number): Total => ['p', key, startMs, endMs, own]

/** A gateway that has joined; it tells its totals and hears the sums that are new to it. */
async function join({ done, call }: TestControl, environment?: string) {
  const { token: joinToken } = await done('POST', '/gateways/join-tokens', { environment })
  const { token } = await done('POST', '/gateway/join', { name: 'gateway', token: joinToken })
  if (typeof token !== 'string') throw new TypeError('who joins gets a token')
  let after = 0
  const tell = async (...totals: Total[]): Promise<unknown> => {
    const state = { version: '1', root: '', workers: 1, ready: true }
    const body = { ...state, quotas: { after, totals } }
    const answer = await call('POST', '/gateway/report', { body, token })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    const { upTo, sums } = answer.body['quotas'] as { upTo: number; sums: unknown }
    after = upTo
    return sums
  }
  return Object.assign(tell, { restart: () => (after = 0) })
}

describeOnEveryStore('what gateways count for quotas', (store) => {
  const start = async () => {
    const clock = testClock(midMs)
    return { clock, control: await testControl({ database: await store.open(), clock }) }
  }

  test('is told to the others as their sum, and only when it is new', async () => {
    const { control } = await start()
    const [first, second, third] = [await join(control), await join(control), await join(control)]
    expect(await first(total('acme', 5))).toEqual([])
    expect(await second(total('acme', 7))).toEqual([['p', 'acme', startMs, endMs, 7, 5]])
    expect(await third()).toEqual([['p', 'acme', startMs, endMs, 0, 12]])
    expect(await third()).toEqual([])
    expect(await first(total('acme', 6))).toEqual([['p', 'acme', startMs, endMs, 6, 7]])
    expect(await third(total('other', 1))).toEqual([['p', 'acme', startMs, endMs, 0, 13]])
  })

  test('counts once however often it is told, and never goes back', async () => {
    const { control } = await start()
    const [first, second] = [await join(control), await join(control)]
    await first(total('acme', 5))
    await first(total('acme', 5))
    // It forgot the last of its counts, and hears of them.
    first.restart()
    expect(await first(total('acme', 3))).toEqual([['p', 'acme', startMs, endMs, 5, 0]])
    expect(await second()).toEqual([['p', 'acme', startMs, endMs, 0, 5]])
  })

  test('is known of each environment apart, and with periods that begin together but end apart', async () => {
    const { control } = await start()
    await control.done('POST', '/environments', { name: 'staging' })
    const [live, staging] = [await join(control), await join(control, 'staging')]
    await live(total('acme', 5), ['p', 'acme', startMs, endMs + 1, 9])
    expect(await staging(total('acme', 1))).toEqual([])
    expect(await (await join(control))()).toHaveLength(2)
  })

  test('reaches a gateway in parts when there is much of it', async () => {
    const { control } = await start()
    const [first, second] = [await join(control), await join(control)]
    const names = Array.from({ length: 6_000 }, (_, index) => total(`consumer ${index}`, 1))
    for (let from = 0; from < names.length; from += 2_000) await first(...names.slice(from, from + 2_000))
    const parts = [await second(), await second(), await second()]
    expect(parts.flat()).toHaveLength(6_000)
    expect(parts[2]).toEqual([])
  })

  test('is believed within bounds: no count spoils the sums of the others, and no period outlives a year', async () => {
    const { control, clock } = await start()
    const [honest, liar] = [await join(control), await join(control)]
    await honest(total('acme', 5))
    const periods = [
      [startMs, Number.MAX_SAFE_INTEGER],
      [startMs, startMs],
      [midMs + 172_800_000, midMs + 259_200_000],
    ] as const
    const impossible = periods.map(([from, to]): Total => ['p', 'acme', from, to, 1])
    const much = total('acme', Number.MAX_SAFE_INTEGER)
    expect(await liar(much, ...impossible)).toEqual([['p', 'acme', startMs, endMs, MOST_COUNTED, 5]])
    expect(await honest()).toEqual([['p', 'acme', startMs, endMs, 5, MOST_COUNTED]])
    clock.advance(endMs + 660_000 - midMs)
    await removeOldCounts(control.control)
    expect(await control.database.read.selectFrom('quota_counts').selectAll().execute()).toEqual([])
  })

  test('goes when its period is over for a while', async () => {
    const { control, clock } = await start()
    const gateway = await join(control)
    await gateway(total('acme', 5), ['p', 'acme', startMs, endMs + 86_400_000, 9])
    clock.advance(endMs + 660_000 - midMs)
    await removeOldCounts(control.control)
    const rows = await control.database.read.selectFrom('quota_counts').selectAll().execute()
    expect(rows.map(({ count }) => count)).toEqual([9])
  })
})

test('a gateway has room for as many names as it can have, and gets it back when they are gone', async () => {
  const clock = testClock(midMs)
  const { control } = await testControl({ clock })
  let rows = MOST_NAMES - 3
  const take = (gateway: string, wanted: number) => takeRoom(control, gateway, wanted, async () => rows)
  expect([await take('a', 2), await take('a', 2), await take('b', 3)]).toEqual([true, false, true])
  rows = 0
  expect(await take('a', 2)).toBe(false)
  clock.advance(60_000)
  expect(await take('a', 2)).toBe(true)
})
