/** How a revision goes live: at once, beside the old one and then switched, or with a growing share of the callers. */
import { z } from 'zod'
import { fieldName } from '../../config/schema/quantities.ts'
import type { PolicyDefinition, CredentialPlace } from '../../kernel/policy.ts'
import type { PolicySpec, SplitBy } from '../../kernel/snapshot.ts'
import { refuse } from '../control-error.ts'
import { invalid } from '../problems.ts'

export const strategy = z.enum(['direct', 'blue-green', 'canary'])
export type Strategy = z.output<typeof strategy>

const bounds = z.strictObject({
  maxErrorRateDelta: z.number().min(0).max(1).default(0.02).meta({
    title: 'Error rate',
    description: 'By how much the share of answers from 500 on may be above that of the old revision.',
  }),
  maxP99Ratio: z.number().min(1).max(1000).default(2).meta({
    title: 'Latency',
    description: 'How many times as long the slowest hundredth may take as with the old revision.',
  }),
  minRequests: z.int().min(1).max(1_000_000).default(50).meta({
    title: 'Evidence',
    description: 'Requests that each of the two revisions must have had before it is judged.',
  }),
  windowSeconds: z.int().min(5).max(900).default(300).meta({
    title: 'Window',
    description: 'Requests that are older, or older than the step, do not count.',
    unit: 'seconds',
  }),
})

export const canaryPlan = z.strictObject({
  by: z
    .union([
      z.enum(['credential', 'ip']),
      z.strictObject({ header: fieldName({ title: 'Header', description: 'Callers with one value stay together.' }) }),
    ])
    .default('credential')
    .meta({ title: 'Callers', description: 'What tells callers apart; the address when it is not there.' }),
  steps: z
    .array(
      z.strictObject({
        percent: z.int().min(1).max(100).meta({ title: 'Share', description: 'Of the callers.', unit: 'percent' }),
        pauseSeconds: z.int().min(0).max(604_800).optional().meta({
          title: 'Pause',
          description: 'Time to the next step; absent: it waits for somebody to promote it.',
          unit: 'seconds',
        }),
      }),
    )
    .min(1)
    .max(20)
    .default([
      { percent: 10, pauseSeconds: 300 },
      { percent: 50, pauseSeconds: 300 },
    ])
    .meta({ title: 'Steps', description: 'Growing shares. After the last one everybody gets it.' }),
  bounds: bounds
    .prefault({})
    .meta({ title: 'Bounds', description: 'How much worse it may be; else it is rolled back.' }),
})

export type CanaryPlan = z.output<typeof canaryPlan>
export type CanaryBounds = z.output<typeof bounds>

/** What a deployment keeps of its plan and of where that stands. */
const keptPlan = z.looseObject({
  canary: canaryPlan.optional(),
  step: z.int().default(0),
  stepAtMs: z.number().default(0),
})
export type KeptPlan = z.output<typeof keptPlan>

export function readPlan({ plan }: { readonly plan: string }): KeptPlan {
  return keptPlan.parse(JSON.parse(plan))
}

/** The plan of a strategy, checked beyond its schema; refuses. */
export function checkPlan(wanted: Strategy, plan: CanaryPlan | undefined): CanaryPlan | undefined {
  if (wanted !== 'canary') {
    if (plan === undefined) return undefined
    return refuse(invalid({ errors: [{ pointer: '/plan', detail: `has no effect with the strategy ${wanted}` }] }))
  }
  const { steps, ...rest } = plan ?? canaryPlan.parse({})
  for (const [at, { percent }] of steps.entries()) {
    if (percent > (steps[at - 1]?.percent ?? 0)) continue
    refuse(
      invalid({ errors: [{ pointer: `/plan/steps/${at}/percent`, detail: 'must be more than in the step before' }] }),
    )
  }
  return { steps, ...rest }
}

/** Both revisions must tell callers apart in the same way, so the places where either takes credentials count. */
export function toSplitBy(
  by: CanaryPlan['by'],
  lists: Iterable<readonly PolicySpec[]>,
  policies: readonly PolicyDefinition[],
): SplitBy {
  if (by === 'ip') return { kind: 'ip' }
  if (by !== 'credential') return { kind: 'header', name: by.header.toLowerCase() }
  const placesOf = (kind: string, config: unknown): readonly CredentialPlace[] => {
    const definition = policies.find((each) => each.kind === kind)
    return definition?.credentialPlaces?.(definition.config.parse(config), placesOf) ?? []
  }
  const fields = new Set(['authorization'])
  const query = new Set<string>()
  for (const list of lists) {
    for (const { kind, config } of list) {
      for (const place of placesOf(kind, config)) (place.in === 'field' ? fields : query).add(place.name)
    }
  }
  return { kind: 'credential', fields: [...fields].toSorted(), query: [...query].toSorted() }
}
