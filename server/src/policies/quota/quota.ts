/**
 * Grants so much in each period of the calendar. The counts hold over all threads and gateways, and outlive reloads and
 * restarts; see `kernel/quota-ledger.ts`.
 */
import { z } from 'zod'
import { calendarUnits, createCalendar, isTimeZone } from '../../kernel/calendar.ts'
import {
  checkCounting,
  compileCost,
  compileCountBy,
  costKey,
  countByKey,
  toCountCapabilities,
} from '../../kernel/count-by.ts'
import type { Limiter } from '../../kernel/counters.ts'
import { addLimitFields, limitName } from '../../kernel/limit-fields.ts'
import { definePolicy } from '../../kernel/policy.ts'
import { defineProblem, type Problem } from '../../kernel/problem.ts'
import { maxQuota } from '../../kernel/quotas.ts'
import { createRareWarning } from '../../kernel/rare-warning.ts'

const exceeded = defineProblem({
  code: 'quota.exceeded',
  status: 429,
  title: 'Quota used up',
  blame: 'caller',
  remedy:
    'What was granted for this period of the calendar is used up; the next one begins after the seconds in `Retry-After`. `RateLimit` says with every answer how much is left. Without `Retry-After`, the single request costs more than a whole period grants.',
})
const tableFull = defineProblem({
  code: 'quota.table_full',
  status: 503,
  title: 'Quota not countable',
  blame: 'operator',
  remedy:
    'The policy counts more callers in this period than the table of quotas has room for; those that it knows are served on, and so are those of other policies. Count by something that there is less of, or in shorter periods.',
})

const config = z.strictObject({
  limit: z
    .int()
    .min(1)
    .max(maxQuota)
    .meta({ title: 'Requests', description: 'Requests, or costs, granted in each period.' }),
  period: z.enum(calendarUnits).default('month').meta({
    title: 'Period',
    description: 'Part of the calendar that the limit is for; weeks begin with Monday.',
  }),
  timeZone: z.string().min(1).max(64).default('UTC').meta({
    title: 'Time zone',
    description: 'Whose midnight ends a period, such as `Europe/Berlin` (IANA).',
  }),
  countBy: countByKey,
  cost: costKey,
  dryRun: z.boolean().default(false).meta({
    title: 'Dry run',
    description: 'Counts everything and warns in the event log, but turns nobody away and sends no fields.',
  }),
  name: limitName
    .default('quota')
    .meta({ title: 'Name', description: 'Name of the quota in the fields `RateLimit` and `RateLimit-Policy`.' }),
})

type Config = z.output<typeof config>

export const quota = definePolicy({
  kind: 'quota',
  title: 'Quota',
  summary: 'Grants each caller so many requests in a minute, day, month or year of the calendar.',
  stability: 'stable',
  config,
  examples: [
    { title: 'Ten thousand a month for each consumer', config: { limit: 10_000, countBy: 'consumer' } },
    {
      title: 'A working day in Berlin, a large order counting for more',
      config: { limit: 500, period: 'day', timeZone: 'Europe/Berlin', cost: "request.method == 'POST' ? 10 : 1" },
    },
    {
      title: 'What a yearly quota of each tenant would do',
      config: { limit: 1_000_000, period: 'year', countBy: "request.headers['x-tenant']", dryRun: true },
    },
  ],
  problems: [exceeded, tableFull],

  capabilities: toCountCapabilities,

  check(config, check) {
    checkCounting(config, config.limit, check)
    if (!isTimeZone(config.timeZone))
      check.report(['timeZone'], 'is no time zone: write it as `Europe/Berlin` or `UTC`')
  },

  setup(config, services) {
    const { limit, period, timeZone, dryRun } = config
    const periodAt = createCalendar(period, timeZone)
    const limiter = services.quotas.calendar(services.policyId, limit, periodAt, dryRun)
    const keyOf = compileCountBy(config.countBy, services)
    const costOf = compileCost(config.cost, services)
    const warnFull = createRareWarning(services, 'the table of quotas has no room for another caller of this policy')
    const warnDry = createRareWarning(services, 'a quota in dry run would have turned requests away')
    const name = `"${config.name}"`

    return {
      request(exchange) {
        const cost = costOf(exchange)
        const isGranted = limiter.take(keyOf(exchange), cost)
        if (!isGranted && limiter.tableFull) warnFull()
        else if (!isGranted && dryRun) warnDry()
        if (dryRun) return undefined
        if (!isGranted && limiter.tableFull) return tableFull({ detail: 'There is no room to count another caller.' })
        const { startMs, endMs } = periodAt(services.clock.now())
        const limitParameters = `;r=${limiter.remaining};t=${Math.ceil(limiter.resetMs / 1000)}`
        addLimitFields(exchange, name, `;q=${limit};w=${Math.round((endMs - startMs) / 1000)}`, limitParameters)
        return isGranted ? undefined : refuse(config, limiter, cost)
      },
    }
  },
})

function refuse({ limit, period, timeZone }: Config, { retryAfterMs }: Limiter, cost: number): Problem {
  // A request that costs more than a whole period grants is not told to come back.
  if (retryAfterMs === Infinity)
    return exceeded({ detail: `The request costs ${cost}, and no more than ${limit} are granted in a ${period}.` })
  const zone = timeZone === 'UTC' ? 'UTC' : `the time zone ${timeZone}`
  return exceeded({
    detail: `The ${limit} of this ${period} (${zone}) are used up.`,
    headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) },
  })
}
