import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { QuotaWork } from '../../test/quota-worker.ts'
import { testClock, type TestClock } from '../../test/test-services.ts'
import { testStartMs } from '../../test/test-exchange.ts'
import { createCalendar, type CalendarUnit } from './calendar.ts'
import { systemClock } from './clock.ts'
import { createCounterMemory } from './counter-table.ts'
import type { Limiter } from './counters.ts'
import { QuotaLedger } from './quota-ledger.ts'
import { createQuotas } from './quota-table.ts'
import type { QuotaState } from './quotas.ts'

const day = 86_400_000

/** A gateway's worth of quotas; `hears` is whether announcements reach its main thread. */
function testQuotas(clock: TestClock = testClock(), quotaSlots = 1024, maxNames?: number) {
  const { quotas: memory } = createCounterMemory({ limitSlots: 16, gaugeSlots: 16, quotaSlots })
  const ledger = new QuotaLedger(memory, clock, maxNames)
  const quotas = createQuotas(memory, clock, (name) => ledger.register(name))
  const quota = (limit: number, unit: CalendarUnit = 'day', policy = 'p', countsBeyond = false): Limiter =>
    quotas.calendar(policy, limit, createCalendar(unit, 'UTC'), countsBeyond)
  return { clock, memory, ledger, quota }
}

function take(limiter: Limiter, times: number, key = 'acme'): number {
  let granted = 0
  for (let i = 0; i < times; i++) if (limiter.take(key, 1)) granted++
  return granted
}

const everything = { totals: 1000, characters: 100_000 }

/** Adds gateways up, as control does. */
function createAdder() {
  const totals = new Map<string, Map<QuotaLedger, QuotaState>>()
  const sumOf = (owns: Iterable<QuotaState>): number => [...owns].reduce((sum, { own }) => sum + own, 0)
  return {
    /** What all have counted of each name. */
    sums: () => [...totals.values()].map((gateways) => sumOf(gateways.values())),
    exchange(ledger: QuotaLedger): void {
      for (const each of ledger.offerTotals(everything)) {
        const name = JSON.stringify([each.policy, each.key, each.periodStartMs])
        totals.set(name, (totals.get(name) ?? new Map()).set(ledger, { ...each, others: 0 }))
      }
      ledger.delivered()
      ledger.applySums(
        [...totals.values()].flatMap((gateways) => {
          const [any] = gateways.values()
          const own = gateways.get(ledger)?.own ?? 0
          return any === undefined ? [] : [{ ...any, own, others: sumOf(gateways.values()) - own }]
        }),
      )
    },
  }
}

describe('a quota', () => {
  test('grants its limit in each period and begins anew with the next', () => {
    const { clock, quota } = testQuotas()
    const limiter = quota(10)
    expect(take(limiter, 12)).toBe(10)
    expect([limiter.remaining, limiter.resetMs, limiter.retryAfterMs]).toEqual([0, day, day])
    clock.advance(day - 1)
    expect(take(limiter, 1)).toBe(0)
    clock.advance(1)
    expect(take(limiter, 12)).toBe(10)
  })

  test('keeps keys, policies and periods apart, and may be changed while it counts', () => {
    const { quota } = testQuotas()
    expect(take(quota(3), 5)).toBe(3)
    expect(take(quota(5), 5)).toBe(2)
    expect(take(quota(3), 5, 'other')).toBe(3)
    expect(take(quota(3, 'month'), 5)).toBe(3)
    expect(take(quota(3, 'day', 'q'), 5)).toBe(3)
  })

  test('that counts beyond its limit still says no', () => {
    const { ledger, quota } = testQuotas()
    expect(take(quota(3, 'day', 'p', true), 5)).toBe(3)
    expect(ledger.offerTotals(everything)).toMatchObject([{ own: 5 }])
  })

  test('never grants more, whatever the costs and however time goes', () => {
    const step = fc.record({ cost: fc.nat(40), waitMs: fc.nat(5 * 3_600_000), key: fc.constantFrom('a', 'b') })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
        const { clock, quota } = testQuotas()
        const limiter = quota(limit)
        const granted = new Map<string, number>()
        for (const { cost, waitMs, key } of steps) {
          clock.advance(waitMs)
          const name = `${key} ${Math.floor(clock.now() / day)}`
          const before = granted.get(name) ?? 0
          expect(limiter.take(key, cost)).toBe(cost === 0 || before + cost <= limit)
          if (before + cost <= limit) granted.set(name, before + cost)
        }
      }),
    )
  })

  test('refuses callers that there is no room for, and serves those that it knows', () => {
    const { quota } = testQuotas(testClock(), 16)
    const limiter = quota(100)
    const known = Array.from({ length: 40 }, (_, key) => `key ${key}`).filter((key) => limiter.take(key, 1))
    expect(known.length).toBeLessThanOrEqual(16)
    expect([limiter.tableFull, limiter.retryAfterMs]).toEqual([true, Infinity])
    expect(known.every((key) => limiter.take(key, 1))).toBe(true)
  })
})

describe('totals', () => {
  const name = { policy: 'p', key: 'acme', periodStartMs: testStartMs, periodEndMs: testStartMs + day }

  test('are offered when they have grown, under the names that were counted', () => {
    const { ledger, quota } = testQuotas()
    take(quota(100), 7)
    expect(ledger.offerTotals(everything)).toEqual([{ ...name, own: 7 }])
    ledger.delivered()
    expect(ledger.offerTotals(everything)).toEqual([])
    ledger.delivered()
    take(quota(100), 2)
    expect(ledger.offerTotals(everything)).toEqual([{ ...name, own: 9 }])
  })

  test('that may not have arrived are offered again, with what came since', () => {
    const { ledger, quota } = testQuotas()
    take(quota(100), 7)
    ledger.offerTotals(everything)
    take(quota(100), 1)
    ledger.undelivered()
    expect(ledger.offerTotals(everything)).toEqual([{ ...name, own: 8 }])
    expect(take(quota(100), 200)).toBe(92)
  })

  test('that grew while they were on their way are offered again', () => {
    const { ledger, quota } = testQuotas()
    take(quota(100), 7)
    ledger.offerTotals(everything)
    take(quota(100), 1)
    ledger.collect()
    ledger.delivered()
    expect(ledger.offerTotals(everything)).toEqual([{ ...name, own: 8 }])
  })

  test('are offered in parts when there are many, the longest waiting first', () => {
    const { ledger, quota } = testQuotas()
    for (const key of ['a', 'b', 'c']) take(quota(100), 1, key)
    const offer = (most: { totals: number; characters: number }): string[] => {
      const keys = ledger.offerTotals(most).map(({ key }) => key)
      ledger.delivered()
      return keys
    }
    expect(offer({ totals: 1, characters: 100 })).toEqual(['a'])
    take(quota(100), 1, 'a')
    expect(offer({ totals: 5, characters: 4 })).toEqual(['b', 'c'])
    expect(offer(everything)).toEqual(['a'])
  })

  test('of keys that no store could keep are not offered, and still limit', () => {
    const { ledger, quota } = testQuotas()
    const keys = ['\0', '\ud800']
    expect(keys.map((key) => take(quota(2), 3, key))).toEqual([2, 2])
    expect(ledger.offerTotals(everything)).toEqual([])
  })

  test('of long keys are kept under digests, the same in every gateway, and are apart', () => {
    const [one, other] = [testQuotas(), testQuotas()]
    const keys = ['x', 'y'].map((end) => 'k'.repeat(30_000) + end)
    for (const key of keys) expect(take(one.quota(3), 5, key)).toBe(3)
    const totals = one.ledger.offerTotals(everything)
    expect(totals.map(({ own }) => own)).toEqual([3, 3])
    for (const { key } of totals) expect(key.length).toBeLessThanOrEqual(256)
    other.ledger.applySums(totals.map((total) => ({ ...total, own: 0, others: total.own })))
    for (const key of keys) expect(take(other.quota(4), 5, key)).toBe(1)
  })

  test('of a period that has ended are still offered, but not for ever', () => {
    const { clock, ledger, quota } = testQuotas()
    ledger.offerTotals(everything)
    ledger.delivered()
    take(quota(100), 7)
    ledger.collect()
    clock.advance(day + 60_000)
    expect(ledger.offerTotals(everything)).toEqual([{ ...name, own: 7 }])
    ledger.undelivered()
    clock.advance(day)
    ledger.collect()
    expect(ledger.size).toBe(0)
  })

  test('of others are counted on, beside what was counted here meanwhile', () => {
    const { ledger, quota } = testQuotas()
    const limiter = quota(100)
    take(limiter, 10)
    ledger.offerTotals(everything)
    ledger.delivered()
    take(limiter, 5)
    ledger.applySums([{ ...name, own: 10, others: 60 }])
    expect([limiter.take('acme', 0), limiter.remaining]).toEqual([true, 25])
    ledger.applySums([{ ...name, own: 10, others: 60 }])
    expect(take(limiter, 100)).toBe(25)
  })

  test('of names that do not fit are counted as unknown, and still limit', () => {
    const { ledger, quota } = testQuotas(testClock(), 1024, 1)
    expect([take(quota(1), 2, 'a'), take(quota(1), 2, 'b')]).toEqual([1, 1])
    expect(ledger.offerTotals(everything)).toMatchObject([{ key: 'a' }])
    expect(ledger.unknown).toBeGreaterThan(0)
  })
})

describe('several gateways', () => {
  test('know of a caller that only others have seen', () => {
    const [first, second] = [testQuotas(), testQuotas()]
    const adder = createAdder()
    take(first.quota(100), 100)
    adder.exchange(first.ledger)
    adder.exchange(second.ledger)
    expect(take(second.quota(100), 5)).toBe(0)
  })

  test('grant together what the quota says, within five percent, though they speak once a second', () => {
    const clock = testClock()
    const gateways = [testQuotas(clock), testQuotas(clock), testQuotas(clock)]
    const limiters = gateways.map(({ quota }) => quota(10_000))
    const adder = createAdder()
    let granted = 0
    // 3,000 a second in all, unevenly: without a guess at the others the last second alone would add a fifth.
    for (let ms = 0; ms < 8_000; ms++) {
      limiters.forEach((limiter, index) => (granted += take(limiter, ms % 3 === 0 ? index * 3 : 0)))
      gateways.forEach(({ ledger }, index) => ms % 1000 === index * 300 && adder.exchange(ledger))
      clock.advance(1)
    }
    expect(granted).toBeGreaterThan(9_500)
    expect(granted).toBeLessThan(10_500)
    gateways.forEach(({ ledger }) => adder.exchange(ledger))
    expect(adder.sums()).toEqual([granted])
  })

  test('go on by what they knew last when nobody adds them up any more', () => {
    const { clock, ledger, quota } = testQuotas()
    const adder = createAdder()
    const limiter = quota(100)
    take(limiter, 10)
    adder.exchange(ledger)
    clock.advance(60_000)
    expect(take(limiter, 200)).toBe(90)
  })
})

describe('a restart', () => {
  test('goes on with what was used, and offers it, since nobody knows what had been told', () => {
    const { ledger, quota } = testQuotas()
    take(quota(100), 30)
    ledger.collect()
    ledger.applySums([{ ...stateName(ledger), others: 20 }])
    take(quota(100), 5)
    ledger.collect()
    const states = ledger.takeChanges()
    expect(states).toMatchObject([{ own: 35, others: 20 }])
    const next = testQuotas()
    next.ledger.restore(states)
    expect(take(next.quota(100), 100)).toBe(45)
    expect(next.ledger.offerTotals(everything)).toMatchObject([{ own: 80 }])
  })

  test('that forgot the last counts hears of them, and goes on from there', () => {
    const { ledger, quota } = testQuotas()
    take(quota(100), 30)
    const [told] = ledger.offerTotals(everything)
    if (told === undefined) throw new Error('nothing was counted')
    const next = testQuotas()
    take(next.quota(100), 1)
    next.ledger.collect()
    next.ledger.applySums([{ ...told, others: 5 }])
    expect(take(next.quota(100), 100)).toBe(65)
    expect(next.ledger.offerTotals(everything)).toMatchObject([{ own: 95 }])
  })

  test('forgets periods that are over', () => {
    const { ledger, quota } = testQuotas()
    take(quota(100), 30)
    ledger.collect()
    const next = testQuotas(testClock(testStartMs + day))
    next.ledger.restore(ledger.takeChanges())
    expect([next.ledger.size, take(next.quota(100), 200)]).toEqual([0, 100])
  })

  function stateName(ledger: QuotaLedger) {
    const [state] = ledger.states()
    if (state === undefined) throw new Error('nothing was counted')
    return state
  }
})

test('threads that share a quota grant exactly its limit, and the main thread hears of every count', async () => {
  const { quotas: memory } = createCounterMemory({ limitSlots: 16, gaugeSlots: 16, quotaSlots: 1024 })
  const ledger = new QuotaLedger(memory, systemClock)
  const keys = Array.from({ length: 50 }, (_, key) => `key ${key}`)
  const granted = new Int32Array(new SharedArrayBuffer(4 * (keys.length + 1)))
  const workerData: QuotaWork = { memory, limit: 300, keys, takes: 20_000, granted }
  const url = new URL('../../test/quota-worker.ts', import.meta.url)
  const workers = Array.from({ length: 3 }, () => new Worker(url, { workerData }))
  for (const worker of workers) worker.on('message', (name) => name !== 'ready' && ledger.register(name))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  Atomics.store(granted, keys.length, 1)
  Atomics.notify(granted, keys.length)
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  expect([...granted.subarray(0, keys.length)]).toEqual(keys.map(() => 300))
  const counts = new Map(ledger.offerTotals(everything).map(({ key, own }) => [key, own]))
  expect(counts).toEqual(new Map(keys.map((key) => [key, 300])))
})
