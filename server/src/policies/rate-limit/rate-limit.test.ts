import { describe, expect, test } from 'vitest'
import { testExchange, type TestExchangeOptions } from '../../../test/test-exchange.ts'
import { checkPolicy, codeOf, runInstance, setupPolicy, testClock, testServices } from '../../../test/test-services.ts'
import { createCounterMemory, createCounters } from '../../kernel/counter-table.ts'
import type { PolicyInstance } from '../../kernel/policy.ts'
import { rateLimit } from './rate-limit.ts'

/** A gateway's worth of services, and policies that are set up with them. */
function testLimits(limitSlots = 1024) {
  const clock = testClock()
  const counters = createCounters(createCounterMemory({ limitSlots, gaugeSlots: 16 }), clock)
  const services = testServices({ clock, counters })
  const setup = (config: object, policyId = 'first'): PolicyInstance =>
    setupPolicy(rateLimit, config, { ...services, policyId })
  return { clock, services, setup }
}

const acme = { principal: { id: 'acme', consumer: 'acme' } }

async function statusOf(instance: PolicyInstance, options: TestExchangeOptions = acme): Promise<number> {
  return (await runInstance(instance, testExchange(options))).reply.status
}

async function statusesOf(instance: PolicyInstance, all: readonly TestExchangeOptions[]): Promise<number[]> {
  const statuses: number[] = []
  for (const options of all) statuses.push(await statusOf(instance, options))
  return statuses
}

describe('a limit', () => {
  test('lets its number pass, turns the next away, and lets it pass after the seconds it was told', async () => {
    const { clock, setup } = testLimits()
    const instance = setup({ limit: 100, windowSeconds: 60, burst: 2 })
    expect(await statusesOf(instance, [acme, acme])).toEqual([200, 200])
    const { answer, reply } = await runInstance(instance, testExchange(acme))
    expect(answer).toMatchObject({ definition: { code: 'rate_limit.exceeded', blame: 'caller' } })
    expect([reply.status, reply.fields.get('retry-after')]).toEqual([429, '1'])
    clock.advance(1000)
    expect(await statusOf(instance)).toBe(200)
  })

  test('is one for all workers and outlives a reload', async () => {
    const { setup } = testLimits()
    const config = { limit: 2, algorithm: 'fixed-window' }
    expect([await statusOf(setup(config)), await statusOf(setup(config)), await statusOf(setup(config))]).toEqual([
      200, 200, 429,
    ])
    expect(await statusOf(setup(config, 'another entry'))).toBe(200)
  })

  test.each(['token-bucket', 'sliding-window', 'fixed-window'])(
    'by %s never lets more than its number pass at once',
    async (algorithm) => {
      const { setup } = testLimits()
      const statuses = await statusesOf(setup({ limit: 5, algorithm }), Array(8).fill(acme))
      expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429])
    },
  )

  test('in dry run lets all pass, says nothing to clients, and warns once a minute with how often', async () => {
    const { clock, services, setup } = testLimits()
    const instance = setup({ limit: 1, windowSeconds: 3600, dryRun: true })
    for (let i = 0; i < 5; i++) {
      const { reply, exchange } = await runInstance(instance, testExchange(acme))
      expect([reply.status, exchange.replyFields]).toEqual([200, undefined])
    }
    clock.advance(60_000)
    await statusOf(instance)
    expect(services.warnings.map(({ facts }) => facts['times'])).toEqual([1, 4])
  })

  test('that cannot be counted turns away, blames the operator and says so in the log', async () => {
    const { services, setup } = testLimits(16)
    const instance = setup({ limit: 1, countBy: "request.headers['x-tenant']", windowSeconds: 3600 })
    const codes = new Set<string | undefined>()
    for (let i = 0; i < 60; i++) {
      const run = await runInstance(instance, testExchange({ headers: { 'x-tenant': `${i}` } }))
      codes.add(codeOf(run))
      if (codeOf(run) !== undefined) expect(run.reply.fields.has('retry-after')).toBe(false)
    }
    expect([...codes]).toEqual([undefined, 'rate_limit.table_full'])
    expect(services.warnings).toHaveLength(1)
  })
})

describe('counting', () => {
  const of = (id: string, consumer?: string): TestExchangeOptions => ({ principal: { id, consumer } })

  test('by principal keeps consumers, subjects and addresses of one name apart', async () => {
    const { setup } = testLimits()
    const instance = setup({ limit: 1 })
    const callers = [of('acme', 'acme'), of('acme'), of('192.0.2.1'), { ip: '192.0.2.1' }, { ip: '192.0.2.2' }]
    expect(await statusesOf(instance, [...callers, ...callers])).toEqual([
      ...callers.map(() => 200),
      ...callers.map(() => 429),
    ])
  })

  test('by consumer takes all its principals as one', async () => {
    const { setup } = testLimits()
    const callers = [of('anna', 'acme'), of('bert', 'acme'), of('anna'), of('anna'), {}, {}]
    expect(await statusesOf(setup({ limit: 1, countBy: 'consumer' }), callers)).toEqual([200, 429, 200, 429, 200, 429])
  })

  test('by ip takes a /64 of IPv6, and an IPv4 address in whatever form, as one client', async () => {
    const { setup } = testLimits()
    const ips = ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', '2001:db8:0:2::1', '192.0.2.7', '::ffff:192.0.2.7']
    expect(
      await statusesOf(
        setup({ limit: 1, countBy: 'ip' }),
        ips.map((ip) => ({ ip })),
      ),
    ).toEqual([200, 429, 200, 200, 429])
  })

  test('by route takes all callers as one', async () => {
    const { setup } = testLimits()
    const other = { route: { id: 'books/1.0.0/other' } }
    expect(await statusesOf(setup({ limit: 1, countBy: 'route' }), [{}, acme, other])).toEqual([200, 429, 200])
  })

  test('by an expression counts also those for whom it is empty', async () => {
    const { setup } = testLimits()
    const instance = setup({ limit: 1, countBy: "request.headers['x-tenant']" })
    const tenant = (name: string): TestExchangeOptions => ({ headers: { 'x-tenant': name } })
    expect(await statusesOf(instance, [tenant('a'), tenant('b'), tenant('a'), {}, {}])).toEqual([
      200, 200, 429, 200, 429,
    ])
  })

  test('by a cost takes as many, and a negative cost gives nothing back', async () => {
    const { setup } = testLimits()
    const instance = setup({ limit: 10, cost: 'int(request.query.n)' })
    const statuses = await statusesOf(
      instance,
      ['6', '5', '-100', '4', '1', '0'].map((n) => ({ ...acme, query: `n=${n}` })),
    )
    expect(statuses).toEqual([200, 429, 200, 200, 429, 200])
    const never = await runInstance(instance, testExchange({ ...acme, query: 'n=11' }))
    expect([never.reply.status, never.reply.fields.has('retry-after')]).toEqual([429, false])
  })

  test('never lets a request pass whose expression fails', async () => {
    const { setup } = testLimits()
    const instance = setup({ limit: 10, cost: 'int(request.query.n)' })
    await expect(runInstance(instance, testExchange(acme))).rejects.toThrow('Expression failed')
  })
})

describe('the fields', () => {
  const fieldsOf = async (...instances: PolicyInstance[]): Promise<(string | undefined)[]> => {
    const exchange = testExchange(acme)
    for (const instance of instances) await instance.request?.(exchange)
    const fields = exchange.replyFields
    return [fields?.get('ratelimit-policy'), fields?.get('ratelimit'), String(fields?.size)]
  }

  test('say what the limit is, what is left, and how long it should last', async () => {
    const { setup } = testLimits()
    const instance = setup({ limit: 100, windowSeconds: 60 })
    for (let i = 0; i < 49; i++) await statusOf(instance)
    expect(await fieldsOf(instance)).toEqual(['"default";q=100;w=60', '"default";r=50;t=30', '2'])
  })

  test('say when a fixed window ends', async () => {
    const { clock, setup } = testLimits()
    clock.advance(45_000)
    const fields = await fieldsOf(setup({ limit: 100, algorithm: 'fixed-window' }))
    expect(fields).toEqual(['"default";q=100;w=60', '"default";r=99;t=15', '2'])
  })

  test('of several limits are one list, with names that differ', async () => {
    const { setup } = testLimits()
    const limits = [
      setup({ limit: 10 }, 'a'),
      setup({ limit: 5, burst: 2, name: 'bulk' }, 'b'),
      setup({ limit: 7 }, 'c'),
    ]
    expect(await fieldsOf(...limits)).toEqual([
      '"default";q=10;w=60, "bulk";q=5;w=60;headgate-burst=2, "default-2";q=7;w=60',
      '"default";r=9;t=54, "bulk";r=1;t=12, "default-2";r=6;t=52',
      '2',
    ])
  })

  test('of a refusal do not last longer than Retry-After', async () => {
    const { setup } = testLimits()
    const instance = setup({ limit: 2, windowSeconds: 60, burst: 1 })
    await statusOf(instance)
    const { exchange, reply } = await runInstance(instance, testExchange(acme))
    expect([exchange.replyFields?.get('ratelimit'), reply.fields.get('retry-after')]).toEqual([
      '"default";r=0;t=30',
      '30',
    ])
  })
})

describe('the configuration', () => {
  test('is refused where it would have no effect or could not be kept', () => {
    const wrong: [object, string][] = [
      [{ limit: 1, burst: 5, algorithm: 'fixed-window' }, 'burst: has no effect'],
      [{ limit: 20_000_000, algorithm: 'sliding-window' }, 'limit: is more than a sliding window'],
      [{ limit: 20_000_000, windowSeconds: 1 }, 'limit: is more than 10000000 a second'],
      [{ limit: 5, countBy: 'principle' }, 'countBy: '],
      [{ limit: 5, countBy: 'route.name == "a"' }, 'countBy: '],
      [{ limit: 5, cost: 'request.path' }, 'cost: '],
      [{ limit: 5, cost: '0' }, 'cost: has the effect that nothing'],
      [{ limit: 50, burst: 5, cost: '6' }, 'cost: is more than the 5'],
      [{ limit: 5, windowSeconds: 0.5 }, 'windowSeconds: '],
      [{ limit: 5, name: 'a"b' }, 'name: '],
      [{}, 'limit: '],
    ]
    for (const [config, message] of wrong) expect(checkPolicy(rateLimit, config)[0], message).toContain(message)
  })

  test('of each example is accepted', () => {
    for (const { config } of rateLimit.examples) expect(checkPolicy(rateLimit, config)).toEqual([])
  })

  test('needs a principal only when it counts by one', () => {
    const needs = (countBy?: string): unknown =>
      rateLimit.capabilities?.(rateLimit.config.parse({ limit: 1, countBy })).needs
    expect([undefined, 'consumer', 'ip', 'route', 'request.path'].map(needs)).toEqual([
      ['principal'],
      ['principal'],
      [],
      [],
      [],
    ])
  })
})
