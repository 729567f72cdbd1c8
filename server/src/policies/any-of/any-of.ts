/** Several ways to authenticate, of which one suffices: an API key or a token, tokens of two issuers. */
import { z } from 'zod'
import type { Exchange } from '../../kernel/exchange.ts'
import { definePolicy, type Answer, type PolicyInstance } from '../../kernel/policy.ts'
import { defineProblem, Problem } from '../../kernel/problem.ts'
import { anyOfExamples } from './examples.ts'

const missing = defineProblem({
  code: 'any_of.missing',
  status: 401,
  title: 'Credential missing',
  blame: 'caller',
  credential: 'absent',
  remedy: 'Send one of the credentials that the detail names; `WWW-Authenticate` lists them for programs.',
})

export const anyOf = definePolicy({
  kind: 'any-of',
  title: 'Any of',
  summary: 'Lets in callers that authenticate in one of several ways.',
  stability: 'stable',
  config: z.strictObject({
    policies: z
      .array(
        z.strictObject({
          kind: z.string().min(1).meta({ title: 'Kind', description: 'An authentication policy, e.g. `key-auth`.' }),
          config: z
            .record(z.string(), z.unknown())
            .default({})
            .meta({ title: 'Configuration', description: 'Its configuration.' }),
        }),
      )
      .min(2)
      .max(10)
      .meta({ title: 'Policies', description: 'Asked in this order; the first that knows the caller decides.' }),
    optional: z.boolean().default(false).meta({
      title: 'Optional',
      description: 'Let requests without any credential pass as anonymous. A wrong one is refused all the same.',
    }),
  }),
  examples: anyOfExamples,
  problems: [missing],
  gives: ['principal'],

  credentialPlaces: ({ policies }, nested) => policies.flatMap(({ kind, config }) => nested(kind, config)),

  check({ policies }, check) {
    for (const [at, { kind, config }] of policies.entries()) {
      const path = ['policies', at]
      if (kind === 'any-of') {
        check.report(path, 'any-of in any-of: put its policies into the outer list')
        continue
      }
      const definition = check.nested(path, kind, config)
      if (definition !== undefined && definition.gives?.includes('principal') !== true) {
        check.report([...path, 'kind'], `${kind} does not tell who is calling`)
      }
      if (config['optional'] === true) {
        check.report(
          [...path, 'config', 'optional'],
          'would let everybody in before the next is asked: give `optional` to any-of itself',
        )
      }
    }
  },

  setup({ policies, optional }, services) {
    const ways = policies.map(({ kind, config }) => toWay(kind, services.nested(kind, config)))
    const noCredential = createMissing()

    /** Asks from `at` on; what was refused so far decides the answer when nobody knows the caller. */
    const ask = (exchange: Exchange, at: number, refusals: readonly Problem[]): Answer | Promise<Answer> => {
      const way = ways[at]
      if (way === undefined) return conclude(refusals)
      const answer = way.request(exchange)
      const go = (found: Answer): Answer | Promise<Answer> => {
        if (found instanceof Problem) return ask(exchange, at + 1, [...refusals, found])
        // What the others would have looked at is not what let the caller in, and the upstream could take it for that.
        for (const other of ways) if (other !== way) other.dropCredential(exchange)
        return found
      }
      return answer instanceof Promise ? answer.then(go) : go(answer)
    }
    const conclude = (refusals: readonly Problem[]): Answer => {
      const furthest = refusals.toSorted((a, b) => howFar(b) - howFar(a))[0]
      if (furthest !== undefined && howFar(furthest) > 0) return furthest
      return optional ? undefined : noCredential(refusals)
    }
    return {
      claims: { request: (name) => ways.some(({ claims }) => claims?.request?.(name) === true) },
      request: (exchange) => ask(exchange, 0, NONE),
    }
  },
})

const NONE: readonly Problem[] = []

interface Way {
  readonly claims: PolicyInstance['claims']
  request(exchange: Exchange): Answer | Promise<Answer>
  dropCredential(exchange: Exchange): void
}

/** Only the request phase takes part, since nobody could tell afterwards whose turn the others are. */
function toWay(kind: string, instance: PolicyInstance): Way {
  const isWay = instance.request !== undefined && instance.dropCredential !== undefined
  if (!isWay || Object.keys(instance).length > (instance.claims === undefined ? 2 : 3)) {
    throw new Error(`${kind} cannot be one of any-of: it does more or less than to authenticate`)
  }
  return {
    claims: instance.claims,
    request: (exchange) => instance.request?.(exchange),
    dropCredential: (exchange) => instance.dropCredential?.(exchange),
  }
}

/** A credential that is known and refused tells the caller more than one that is unknown; our own trouble tops all. */
function howFar({ definition: { credential } }: Problem): number {
  if (credential === undefined) return 3
  return credential === 'absent' ? 0 : credential === 'unknown' ? 1 : 2
}

/** One answer with the challenges of all (RFC 9110 §11.6.1), made anew only when they change, which they hardly do. */
function createMissing(): (refusals: readonly Problem[]) => Problem {
  let made: { readonly from: readonly Problem[]; readonly problem: Problem } | undefined
  return (refusals) => {
    if (made === undefined || made.from.some((each, at) => each !== refusals[at])) {
      const challenges = refusals.flatMap(({ headers }) => headers?.['www-authenticate'] ?? [])
      const detail = refusals.flatMap((refusal) => refusal.detail ?? []).join(' Or: ')
      made = { from: refusals, problem: missing({ detail, headers: { 'www-authenticate': challenges.join(', ') } }) }
    }
    return made.problem
  }
}
