/**
 * Turns away a caller that sends too much. The counters are shared by all threads of the gateway and outlive reloads;
 * see `kernel/counter-table.ts`.
 */
import { z } from 'zod'
import {
  checkCounting,
  compileCost,
  compileCountBy,
  costKey,
  countByKey,
  toCountCapabilities,
} from '../../kernel/count-by.ts'
import { maxLimit, type Limiter } from '../../kernel/counters.ts'
import { addLimitFields, limitName } from '../../kernel/limit-fields.ts'
import { definePolicy } from '../../kernel/policy.ts'
import { defineProblem, type Problem } from '../../kernel/problem.ts'
import { createRareWarning } from '../../kernel/rare-warning.ts'
import { algorithms, capacityOf, checkAlgorithm, createLimiter } from './algorithm.ts'

const exceeded = defineProblem({
  code: 'rate_limit.exceeded',
  status: 429,
  title: 'Rate limit exceeded',
  blame: 'caller',
  remedy:
    'Wait for the seconds in `Retry-After`, and slow down before the limit: `RateLimit` says with every answer how much is left. Without `Retry-After`, the single request costs more than the limit ever allows.',
})
const tableFull = defineProblem({
  code: 'rate_limit.table_full',
  status: 503,
  title: 'Rate limit not countable',
  blame: 'operator',
  remedy:
    'The policy counts as many callers at once as the table of counters has room for; those that it knows are served on, and so are those of other policies. See who they are, count by something that there is less of, or shorten the windows.',
})

const MAX_WINDOW_SECONDS = 366 * 86_400

const config = z.strictObject({
  limit: z.int().min(1).max(maxLimit).meta({ title: 'Requests', description: 'Requests, or costs, in one window.' }),
  windowSeconds: z
    .int()
    .min(1)
    .max(MAX_WINDOW_SECONDS)
    .default(60)
    .meta({ title: 'Window', description: 'Length of one window.', unit: 'seconds' }),
  algorithm: z.enum(algorithms).default('token-bucket').meta({
    title: 'Algorithm',
    description:
      '`token-bucket` refills steadily, `sliding-window` looks back one window, `fixed-window` starts anew with each window of the calendar (UTC).',
  }),
  burst: z.int().min(1).max(maxLimit).optional().meta({
    title: 'Burst',
    description: 'Most that a token bucket holds, so most that can be had at once. By default the limit.',
  }),
  countBy: countByKey,
  cost: costKey,
  dryRun: z.boolean().default(false).meta({
    title: 'Dry run',
    description: 'Counts and warns in the event log, but turns nobody away and sends no fields.',
  }),
  name: limitName
    .default('default')
    .meta({ title: 'Name', description: 'Name of the limit in the fields `RateLimit` and `RateLimit-Policy`.' }),
})

type Config = z.output<typeof config>

export const rateLimit = definePolicy({
  kind: 'rate-limit',
  title: 'Rate limit',
  summary: 'Turns away a caller that sends too many requests.',
  stability: 'stable',
  config,
  examples: [
    { title: 'A hundred a minute for each caller', config: { limit: 100 } },
    {
      title: 'Ten a second for each address, twenty at once',
      config: { limit: 10, windowSeconds: 1, burst: 20, countBy: 'ip' },
    },
    {
      title: 'A daily quota of each tenant, to try out first',
      config: {
        limit: 100_000,
        windowSeconds: 86_400,
        algorithm: 'fixed-window',
        countBy: "request.headers['x-tenant']",
        name: 'daily',
        dryRun: true,
      },
    },
    { title: 'Searches cost five', config: { limit: 300, cost: "request.path.startsWith('/search') ? 5 : 1" } },
  ],
  problems: [exceeded, tableFull],

  capabilities: toCountCapabilities,

  check(config, check) {
    checkAlgorithm(config, check)
    checkCounting(config, capacityOf(config), check)
  },

  setup(config, services) {
    const { limit, windowSeconds, burst, dryRun } = config
    const limiter = createLimiter(config, services)
    const keyOf = compileCountBy(config.countBy, services)
    const costOf = compileCost(config.cost, services)
    const warnFull = createRareWarning(services, 'the table of counters has no room for another caller of this policy')
    const warnDry = createRareWarning(services, 'a rate limit in dry run would have turned requests away')
    const name = `"${config.name}"`
    const policyParameters = `;q=${limit};w=${windowSeconds}${burst === undefined ? '' : `;headgate-burst=${burst}`}`

    return {
      request(exchange) {
        const cost = costOf(exchange)
        const isGranted = limiter.take(keyOf(exchange), cost)
        if (!isGranted && limiter.tableFull) warnFull()
        else if (!isGranted && dryRun) warnDry()
        if (dryRun) return undefined
        if (!isGranted && limiter.tableFull) return tableFull({ detail: 'There is no room to count another caller.' })
        const limitParameters = ';r=' + limiter.remaining + ';t=' + Math.ceil(limiter.resetMs / 1000)
        addLimitFields(exchange, name, policyParameters, limitParameters)
        return isGranted ? undefined : refuse(config, limiter, cost)
      },
    }
  },
})

function refuse(config: Config, { retryAfterMs }: Limiter, cost: number): Problem {
  const { limit, windowSeconds } = config
  const allowed = `${limit} in ${windowSeconds} ${windowSeconds === 1 ? 'second' : 'seconds'}`
  // A request that costs more than the limit ever allows is not told to come back.
  if (retryAfterMs === Infinity)
    return exceeded({ detail: `The request costs ${cost}, and no more than ${capacityOf(config)} can be had at once.` })
  const seconds = Math.ceil(retryAfterMs / 1000)
  return exceeded({
    detail: `The limit of ${allowed} is used up; try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
    headers: { 'retry-after': String(seconds) },
  })
}
