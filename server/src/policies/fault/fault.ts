/** Breaks a share of the traffic on purpose, to see whether callers, alerts and the people on call can stand it. */
import { z } from 'zod'
import { HeldAnswers } from '../../kernel/held-answers.ts'
import { definePolicy, type Answer, type PolicyInstance } from '../../kernel/policy.ts'
import type { PolicyServices } from '../../kernel/policy-services.ts'
import { defineProblem, Problem } from '../../kernel/problem.ts'

const injected = defineProblem({
  code: 'fault.injected',
  status: 503,
  title: 'Injected fault',
  blame: 'operator',
  remedy:
    'A `fault` entry of the configuration broke this request on purpose, with the status that it names. Try again, or ask the operator to end the experiment.',
})

const reset = defineProblem({
  code: 'fault.connection_reset',
  status: 503,
  title: 'Injected connection reset',
  blame: 'operator',
  resetsConnection: true,
  remedy:
    'A `fault` entry of the configuration broke off this request on purpose, without an answer; the status stands in the record alone.',
})

const MAX_DELAY_MS = 60_000

const percent = z
  .number()
  .gt(0)
  .max(100)
  .default(100)
  .meta({ title: 'Share', description: 'Share of the requests that it happens to.', unit: 'percent' })

export const fault = definePolicy({
  kind: 'fault',
  title: 'Fault',
  summary: 'Delays, fails or breaks off a share of the requests on purpose.',
  stability: 'stable',
  config: z.strictObject({
    delay: z
      .strictObject({
        milliseconds: z.int().min(0).max(MAX_DELAY_MS).meta({
          title: 'Delay',
          description: 'How long a request is held before it goes on.',
          unit: 'milliseconds',
        }),
        upToMilliseconds: z.int().min(1).max(MAX_DELAY_MS).optional().meta({
          title: 'Up to',
          description: 'Makes each delay a random one between the two.',
          unit: 'milliseconds',
        }),
        percent,
      })
      .optional()
      .meta({ title: 'Delay', description: 'Holds requests up.' }),
    abort: z
      .strictObject({
        status: z
          .union([z.int().min(400).max(599), z.literal('reset')])
          .default(503)
          .meta({ title: 'Status', description: 'Status of the answer, or `reset` to break off without one.' }),
        percent,
      })
      .optional()
      .meta({ title: 'Abort', description: 'Answers instead of the upstream, after the delay.' }),
  }),
  examples: [
    {
      title: 'A tenth of the requests is slow',
      config: { delay: { milliseconds: 200, upToMilliseconds: 2000, percent: 10 } },
    },
    { title: 'One request of a hundred fails', config: { abort: { status: 503, percent: 1 } } },
    { title: 'Connections break off', config: { abort: { status: 'reset', percent: 5 } } },
  ],
  problems: [injected, reset],

  check({ delay, abort }, check) {
    if (delay === undefined && abort === undefined) check.report([], 'breaks nothing: give `delay` or `abort`')
    if (delay?.upToMilliseconds !== undefined && delay.upToMilliseconds <= delay.milliseconds)
      check.report(['delay', 'upToMilliseconds'], 'must be more than `milliseconds`')
    if (delay?.milliseconds === 0 && delay.upToMilliseconds === undefined)
      check.report(['delay', 'milliseconds'], 'has no effect when it is 0')
  },

  setup({ delay, abort }, services): PolicyInstance {
    const abortOne = compileAbort(abort, services)
    if (delay === undefined) return { request: abortOne }
    const { milliseconds, upToMilliseconds = milliseconds } = delay
    const held = new HeldAnswers()
    return {
      request(exchange) {
        if (services.random() * 100 >= delay.percent) return abortOne()
        const delayMs = milliseconds + services.random() * (upToMilliseconds - milliseconds)
        return held.hold(exchange, abortOne(), delayMs)
      },
      close: (exchange) => held.release(exchange),
    }
  },
})

function compileAbort(
  abort: { readonly status: number | 'reset'; readonly percent: number } | undefined,
  services: PolicyServices,
): () => Answer {
  if (abort === undefined) return () => undefined
  const { status, percent: share } = abort
  const problem = status === 'reset' ? reset() : new Problem({ ...injected.definition, status }, undefined)
  return () => (services.random() * 100 < share ? problem : undefined)
}
