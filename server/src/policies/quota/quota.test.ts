import { describe, expect, test } from 'vitest'
import { testExchange, type TestExchangeOptions } from '../../../test/test-exchange.ts'
import { testGateway } from '../../../test/test-gateway.ts'
import { checkPolicy, codeOf, runInstance, setupPolicy, testClock, testServices } from '../../../test/test-services.ts'
import { createCounterMemory } from '../../kernel/counter-table.ts'
import type { PolicyInstance } from '../../kernel/policy.ts'
import { createQuotas } from '../../kernel/quota-table.ts'
import { quota } from './quota.ts'

const day = 86_400_000

/** A gateway's worth of services, and policies that are set up with them. */
function testQuotas(quotaSlots = 1024, startMs?: number) {
  const clock = testClock(startMs)
  const memory = createCounterMemory({ limitSlots: 16, gaugeSlots: 16, quotaSlots })
  const services = testServices({ clock, quotas: createQuotas(memory.quotas, clock, () => undefined) })
  const setup = (config: object, policyId = 'first'): PolicyInstance =>
    setupPolicy(quota, config, { ...services, policyId })
  return { clock, services, setup }
}

const acme = { principal: { id: 'acme', consumer: 'acme' } }

async function statusesOf(instance: PolicyInstance, all: readonly TestExchangeOptions[]): Promise<number[]> {
  const statuses: number[] = []
  for (const options of all) statuses.push((await runInstance(instance, testExchange(options))).reply.status)
  return statuses
}

describe('a quota', () => {
  test('lets its number pass, then turns away until the next period of the calendar', async () => {
    const { clock, setup } = testQuotas()
    const instance = setup({ limit: 2 })
    clock.advance(10 * day)
    expect(await statusesOf(instance, [acme, acme])).toEqual([200, 200])
    const { answer, reply } = await runInstance(instance, testExchange(acme))
    expect(answer).toMatchObject({
      detail: 'The 2 of this month (UTC) are used up.',
      definition: { code: 'quota.exceeded', blame: 'caller' },
    })
    expect([reply.status, reply.fields.get('retry-after')]).toEqual([429, String((21 * day) / 1000)])
    clock.advance(21 * day)
    expect(await statusesOf(instance, [acme])).toEqual([200])
  })

  test('ends its periods at the midnight of its time zone', async () => {
    const { clock, setup } = testQuotas(1024, Date.parse('2026-06-01T21:59:59Z'))
    const instance = setup({ limit: 1, period: 'day', timeZone: 'Europe/Berlin' })
    expect(await statusesOf(instance, [acme, acme])).toEqual([200, 429])
    clock.advance(1000)
    expect(await statusesOf(instance, [acme])).toEqual([200])
  })

  test('outlives a reload, also one that changes the limit', async () => {
    const { setup } = testQuotas()
    expect(await statusesOf(setup({ limit: 2 }), [acme, acme])).toEqual([200, 200])
    expect(await statusesOf(setup({ limit: 3 }), [acme, acme])).toEqual([200, 429])
    expect(await statusesOf(setup({ limit: 2 }, 'another entry'), [acme])).toEqual([200])
  })

  test('counts by what it is told, and by costs', async () => {
    const { setup } = testQuotas()
    const instance = setup({ limit: 10, countBy: "request.headers['x-tenant']", cost: 'int(request.query.n)' })
    const of = (tenant: string, n: number) => ({ headers: { 'x-tenant': tenant }, query: `n=${n}` })
    const all = [of('a', 6), of('a', 5), of('b', 10), of('a', 4), of('a', -5), of('a', 1), of('a', 11)]
    expect(await statusesOf(instance, all)).toEqual([200, 429, 200, 200, 200, 429, 429])
    const never = await runInstance(instance, testExchange(of('a', 11)))
    expect(never.reply.fields.has('retry-after')).toBe(false)
  })

  test('in dry run lets all pass, says nothing to clients, and warns once a minute with how often', async () => {
    const { clock, services, setup } = testQuotas()
    const instance = setup({ limit: 1, dryRun: true })
    for (let i = 0; i < 5; i++) {
      const { reply, exchange } = await runInstance(instance, testExchange(acme))
      expect([reply.status, exchange.replyFields]).toEqual([200, undefined])
    }
    clock.advance(60_000)
    await statusesOf(instance, [acme])
    expect(services.warnings.map(({ facts }) => facts['times'])).toEqual([1, 4])
  })

  test('that cannot be counted turns away, blames the operator and says so in the log', async () => {
    const { services, setup } = testQuotas(16)
    const instance = setup({ limit: 1, countBy: "request.headers['x-tenant']" })
    const codes = new Set<string | undefined>()
    for (let i = 0; i < 60; i++) {
      const run = await runInstance(instance, testExchange({ headers: { 'x-tenant': `${i}` } }))
      codes.add(codeOf(run))
      if (codeOf(run) !== undefined) expect(run.reply.fields.has('retry-after')).toBe(false)
    }
    expect([...codes]).toEqual([undefined, 'quota.table_full'])
    expect(services.warnings).toHaveLength(1)
  })
})

test('the fields say what is granted, how long the period is, what is left and when it ends', async () => {
  const { clock, setup } = testQuotas()
  clock.advance(30 * day)
  const exchange = testExchange(acme)
  for (const config of [
    { limit: 100, name: 'monthly' },
    { limit: 10, period: 'day' },
    { limit: 5, period: 'hour' },
  ])
    await setup(config, config.name ?? config.period).request?.(exchange)
  expect(exchange.replyFields?.get('ratelimit-policy')).toBe(
    '"monthly";q=100;w=2678400, "quota";q=10;w=86400, "quota-2";q=5;w=3600',
  )
  expect(exchange.replyFields?.get('ratelimit')).toBe(
    '"monthly";r=99;t=86400, "quota";r=9;t=86400, "quota-2";r=4;t=3600',
  )
})

test.each([
  [{ limit: 10, timeZone: 'Europe/Atlantis' }, 'timeZone: is no time zone'],
  [{ limit: 10, cost: '11' }, 'cost: is more than the 10'],
  [{ limit: 10, cost: '0' }, 'cost: has the effect that nothing'],
  [{ limit: 10, countBy: 'consumers' }, 'countBy: '],
  [{ limit: 0 }, 'limit: '],
  [{ limit: 10, period: 'decade' }, 'period: '],
])('%j is refused', (config, message) => {
  const found = checkPolicy(quota, config)
  expect(found).toHaveLength(1)
  expect(found[0]).toContain(message)
})

test.each(quota.examples)('example: $title', ({ config }) => expect(checkPolicy(quota, config)).toEqual([]))

test('through a gateway: what was granted goes on counting after a reload', async () => {
  const policies = [{ kind: 'quota', config: { limit: 2, period: 'year', countBy: 'route' } }]
  const gateway = await testGateway({ policies })
  expect((await gateway.inject('GET /')).headers).toMatchObject({ ratelimit: expect.stringMatching(/^"quota";r=1;t=/) })
  await gateway.reload({ policies, upstream: { connections: { maxPerTarget: 7 } } })
  expect([(await gateway.inject('GET /')).status, (await gateway.inject('GET /')).status]).toEqual([200, 429])
})
