/**
 * Answers from the OpenAPI operation of the route, before there is an upstream: its examples where they fulfil the schema,
 * values made of the schema elsewhere. What a route answers is read when it is first called.
 */
import { z } from 'zod'
import type { Exchange } from '../../kernel/exchange.ts'
import { HeldAnswers } from '../../kernel/held-answers.ts'
import { isJsonObject } from '../../kernel/json.ts'
import { definePolicy, type Answer, type PolicyInstance } from '../../kernel/policy.ts'
import { defineProblem } from '../../kernel/problem.ts'
import { queryMap } from '../../kernel/query.ts'
import type { RouteFacts } from '../../kernel/snapshot.ts'
import { toSeed } from './generate/random.ts'
import { AnswerMaker, findAnswer, hasExample, toUsualStatus, type Wishes } from './mock-answer.ts'
import { negotiate } from './negotiate.ts'
import { readAnswers, type DescribedAnswer } from './operation-answers.ts'
import { noPreferences, readPreferences, toPreferenceApplied, type Preferences } from './prefer.ts'

const noOperation = defineProblem({
  code: 'mock.no_operation',
  status: 501,
  title: 'Nothing to mock',
  blame: 'operator',
  remedy:
    'The route was written by hand and has no operation in an OpenAPI document, so nothing says what it answers. Describe it in the document, or give the mock a `when` that leaves it out.',
})
const notAcceptable = defineProblem({
  code: 'mock.not_acceptable',
  status: 406,
  title: 'Not acceptable',
  blame: 'caller',
  remedy: '`detail` names the media types that the document describes for this answer; accept one of them.',
})

const MAX_DELAY_MS = 60_000
/** What is held counts as being served: clients that choose delays must not use up what all others need. */
const MOST_HELD = 500
const MAX_ECHOED = 100

/** Statuses whose answers never have a body (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
const bodiless = new Set([204, 205, 304])

const config = z.strictObject({
  status: z.int().min(200).max(599).optional().meta({
    title: 'Status',
    description: 'Status to answer when the client prefers none. By default the first success that is described.',
  }),
  dynamic: z.boolean().default(false).meta({
    title: 'Dynamic',
    description: 'Makes every answer up anew, instead of using examples and giving the same request the same answer.',
  }),
  delayMilliseconds: z.int().min(0).max(MAX_DELAY_MS).default(0).meta({
    title: 'Delay',
    description: 'How long each answer takes.',
    unit: 'milliseconds',
  }),
  echo: z.boolean().default(false).meta({
    title: 'Echo',
    description: 'Puts parameters of path and query into properties of the same name, where the schema allows it.',
  }),
  prefer: z.boolean().default(true).meta({
    title: 'Prefer',
    description: 'Whether clients may choose by `Prefer: code=404, example=name, dynamic=true, delay=200`.',
  }),
})

type Config = z.output<typeof config>

interface RouteMock {
  readonly answers: readonly DescribedAnswer[]
  readonly maker: AnswerMaker
}

export const mock = definePolicy({
  kind: 'mock',
  title: 'Mock',
  summary: "Answers by itself from the API's OpenAPI document: its examples, or values made of its schemas.",
  stability: 'stable',
  usesOperation: true,
  answersAlways: true,
  config,
  examples: [
    { title: 'An API before it is built', config: { echo: true } },
    { title: 'Slow, and different each time', config: { dynamic: true, delayMilliseconds: 300 } },
    { title: 'What clients do when everything fails', config: { status: 503, prefer: false } },
  ],
  problems: [noOperation, notAcceptable],

  lifecycle: ({ state }) => (state === 'mock' ? {} : undefined),

  setup(config, services): PolicyInstance {
    const mocks = new WeakMap<RouteFacts, RouteMock>()
    const held = new HeldAnswers()
    const mockOf = (route: RouteFacts | undefined): RouteMock | undefined => {
      if (route?.operation === undefined) return undefined
      const mocked = mocks.get(route) ?? toRouteMock(route)
      mocks.set(route, mocked)
      return mocked
    }
    return {
      request(exchange) {
        const mocked = mockOf(exchange.route)
        if (mocked === undefined) return noOperation()
        const preferred = config.prefer ? readPreferences(exchange.request.fields) : noPreferences
        const wanted = held.count < MOST_HELD ? preferred : { ...preferred, delayMs: undefined }
        const answer = toAnswer(mocked, exchange, wanted, config, () => services.random() * 2 ** 32)
        const delayMs = Math.min(MAX_DELAY_MS, wanted.delayMs ?? config.delayMilliseconds)
        return delayMs === 0 ? answer : held.hold(exchange, answer, delayMs)
      },
      close: (exchange) => held.release(exchange),
    }
  },
})

function toRouteMock({ operation = {} }: RouteFacts): RouteMock {
  const { components } = operation
  const schemas = isJsonObject(components) ? components['schemas'] : undefined
  return { answers: readAnswers(operation), maker: new AnswerMaker(isJsonObject(schemas) ? schemas : {}) }
}

function toAnswer(
  { answers, maker }: RouteMock,
  exchange: Exchange,
  wanted: Preferences,
  config: Config,
  chance: () => number,
): Answer {
  const { request } = exchange
  const preferred = wanted.code === undefined ? undefined : findAnswer(answers, wanted.code)
  const code = preferred === undefined || !isStatus(wanted.code) ? undefined : wanted.code
  const status = code ?? config.status ?? toUsualStatus(answers)
  const described = findAnswer(answers, status)
  const types = bodiless.has(status) ? [] : (described?.types ?? [])
  const type = negotiate(request.fields.joined('accept'), types)
  // A client that says how it reads success is told of a failure all the same.
  const chosen = type ?? (status >= 400 ? negotiate(undefined, types) : undefined)
  if (chosen === undefined && types.length > 0)
    return notAcceptable({ detail: `There are: ${types.map(({ contentType }) => contentType).join(', ')}.` })
  const named = wanted.example
  const example = named !== undefined && chosen !== undefined && hasExample(chosen, named) ? named : undefined
  const dynamic = wanted.dynamic ?? config.dynamic
  const wishes: Wishes = {
    example,
    dynamic,
    seed: dynamic ? chance() : toSeed(`${exchange.route?.id} ${status} ${request.path} ${request.query}`),
    echoed: config.echo ? toEchoed(exchange) : new Map(),
  }
  const fields = maker.makeHeaders(described?.headers ?? [], wishes)
  const applied = toPreferenceApplied({ ...wanted, code, example })
  if (config.prefer) fields.append('vary', 'prefer')
  if (types.length > 1) fields.append('vary', 'accept')
  if (applied !== undefined) fields.set('preference-applied', applied)
  if (chosen === undefined) return { status, fields, body: undefined }
  fields.set('content-type', chosen.contentType)
  return { status, fields, body: Buffer.from(maker.makeBody(chosen, wishes)) }
}

function isStatus(code: number | undefined): code is number {
  return code !== undefined && code >= 200 && code <= 599
}

function toEchoed({ route, parameters, request }: Exchange): Map<string, string> {
  const texts = new Map(queryMap(request.query, MAX_ECHOED))
  route?.parameterNames.forEach((name, at) => texts.set(name, parameters[at] ?? ''))
  return texts
}
