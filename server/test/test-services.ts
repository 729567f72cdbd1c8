/**
 * Runs policies in tests as the pipeline does, with doubles only at the edge: the clock, the network and what a
 * snapshot knows of consumers. Expressions, counters and nested policies are the real ones.
 */
import type { Clock } from '../src/kernel/clock.ts'
import { ConsumerIndex, toKeyHash, type Consumers } from '../src/kernel/consumers.ts'
import type { Counters } from '../src/kernel/counters.ts'
import { createReply, type Exchange, type Reply } from '../src/kernel/exchange.ts'
import { compileExpression } from '../src/kernel/expression.ts'
import type { Answer, PolicyCheck, PolicyDefinition, PolicyInstance } from '../src/kernel/policy.ts'
import type { FetchedDocument, PolicyServices } from '../src/kernel/policy-services.ts'
import { Problem, toProblemJson } from '../src/kernel/problem.ts'
import type { ConsumerSpec, RouteFacts } from '../src/kernel/snapshot.ts'
import { findPolicy } from '../src/policies/index.ts'
import { testRoute, testStartMs } from './test-exchange.ts'

export interface TestClock extends Clock {
  advance(ms: number): void
}

/** A clock that stands still until it is advanced. */
export function testClock(startMs: number = testStartMs): TestClock {
  let elapsedMs = 0
  return {
    now: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    advance: (ms) => {
      elapsedMs += ms
    },
  }
}

export interface TestConsumer extends Partial<Omit<ConsumerSpec, 'keys' | 'name'>> {
  /** Keys in plain text; a pair adds the moment at which the key expires. */
  readonly keys?: readonly (string | readonly [key: string, expiresAtMs: number])[]
}

/** `testConsumers({ acme: { keys: ['secret'], roles: ['admin'] } })` */
export function testConsumers(consumers: Readonly<Record<string, TestConsumer>>): Consumers {
  const index = new ConsumerIndex()
  for (const [name, { keys = [], ...facts }] of Object.entries(consumers)) {
    const hashed = keys.map((key, at) => {
      const [text, expiresAtMs] = typeof key === 'string' ? [key, undefined] : key
      return { name: `key-${at}`, hash: toKeyHash(text), expiresAtMs }
    })
    index.add({ name, labels: {}, roles: [], scopes: [], policies: [], subscriptions: [], ...facts, keys: hashed })
  }
  return index
}

export interface TestServices extends PolicyServices {
  /** What policies warned of, in order. */
  readonly warnings: readonly { readonly facts: Readonly<Record<string, unknown>>; readonly message: string }[]
}

export type TestServicesOptions = Partial<Omit<PolicyServices, 'log' | 'nested' | 'expression'>>

export function testServices(options: TestServicesOptions = {}): TestServices {
  const warnings: { facts: Readonly<Record<string, unknown>>; message: string }[] = []
  const services: TestServices = {
    policyId: options.policyId ?? 'apis/books/policies/0',
    clock: options.clock ?? testClock(),
    counters: options.counters ?? noCounters,
    callers: options.callers ?? { called: () => undefined },
    quotas: options.quotas ?? { calendar: unexpectedCounter },
    consumers: options.consumers ?? new ConsumerIndex(),
    fetchDocument: options.fetchDocument ?? refuseToFetch,
    random: options.random ?? (() => 0),
    log: { warn: (facts, message) => void warnings.push({ facts, message }) },
    warnings,
    expression: compileExpression,
    nested: (kind, config) => setupPolicy(definitionOf(kind), config, services),
  }
  return services
}

/** Validates the configuration by the schema, as a file's is, and compiles it. */
export function setupPolicy(definition: PolicyDefinition, config: unknown, services: PolicyServices): PolicyInstance {
  return definition.setup(definition.config.parse(config), services)
}

export interface PolicyRun {
  readonly exchange: Exchange
  /** What the policy's request phase answered; undefined when it let the request pass. */
  readonly answer: Answer
  /** What the client gets after the response phase. */
  readonly reply: Reply
  readonly instance: PolicyInstance
}

export interface PolicyRunOptions {
  readonly services?: PolicyServices
  /** What the upstream answers; by default 200 without a body. */
  readonly upstream?: (exchange: Exchange) => Reply | Problem | Promise<Reply | Problem>
}

/** Sets up the policy and takes one exchange through all its phases. */
export async function runPolicy(
  definition: PolicyDefinition,
  config: unknown,
  exchange: Exchange,
  options: PolicyRunOptions = {},
): Promise<PolicyRun> {
  return runInstance(setupPolicy(definition, config, options.services ?? testServices()), exchange, options)
}

/** Takes one exchange through all phases of a policy that is set up already. */
export async function runInstance(
  instance: PolicyInstance,
  exchange: Exchange,
  options: PolicyRunOptions = {},
): Promise<PolicyRun> {
  if (instance.requestBody !== undefined && exchange.request.body instanceof Uint8Array) {
    Object.assign(exchange.request, { content: exchange.request.body })
  }
  const answer = await instance.request?.(exchange)
  const outcome = answer ?? (await callUpstream(instance, exchange, options))
  const reply = outcome instanceof Problem ? toReply(outcome, exchange) : outcome
  exchange.reply = reply
  await instance.response?.(exchange)
  instance.close?.(exchange)
  return { exchange, answer, reply: exchange.reply ?? reply, instance }
}

/** Code of the problem that the policy answered with, if it did. */
export function codeOf({ answer }: PolicyRun): string | undefined {
  return answer instanceof Problem ? answer.definition.code : undefined
}

/** The body of an answer that is all here, as text. */
export function textOf({ body }: Reply): string {
  return body instanceof Uint8Array ? Buffer.from(body).toString() : ''
}

/** What is wrong with a configuration: the schema's findings or else those of `check`, as `key.key: message`. */
export function checkPolicy(
  definition: PolicyDefinition,
  config: unknown,
  routes: readonly RouteFacts[] = [testRoute()],
): string[] {
  const parsed = definition.config.safeParse(config)
  if (!parsed.success) return parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  const found: string[] = []
  definition.check?.(parsed.data, testCheck(found, [], routes))
  return found
}

function testCheck(found: string[], prefix: readonly (string | number)[], routes: readonly RouteFacts[]): PolicyCheck {
  const report: PolicyCheck['report'] = (path, message) =>
    void found.push(`${[...prefix, ...path].join('.')}: ${message}`)
  return {
    routes,
    report,
    nested(path, kind, config) {
      const definition = findPolicy(kind)
      if (definition === undefined) {
        report([...path, 'kind'], `Unknown policy ${kind}`)
        return undefined
      }
      const parsed = definition.config.safeParse(config)
      for (const issue of parsed.error?.issues ?? [])
        report([...path, 'config', ...issue.path.map(String)], issue.message)
      if (parsed.success) definition.check?.(parsed.data, testCheck(found, [...prefix, ...path, 'config'], routes))
      return definition
    },
    expression(path, source, type) {
      try {
        compileByType[type](source)
      } catch (error) {
        report(path, error instanceof Error ? error.message : String(error))
      }
    },
  }
}

const compileByType = {
  bool: (source: string) => compileExpression(source, 'bool'),
  string: (source: string) => compileExpression(source, 'string'),
  int: (source: string) => compileExpression(source, 'int'),
}

function toReply(problem: Problem, exchange: Exchange): Reply {
  exchange.problem = problem
  const headers = { 'content-type': 'application/problem+json', ...problem.headers }
  return createReply(problem.definition.status, headers, toProblemJson(problem, exchange.id))
}

async function callUpstream(
  instance: PolicyInstance,
  exchange: Exchange,
  options: PolicyRunOptions,
): Promise<Reply | Problem> {
  const next = async (): Promise<Reply | Problem> => (await options.upstream?.(exchange)) ?? createReply(200, {})
  return instance.upstream === undefined ? next() : instance.upstream(exchange, next)
}

function definitionOf(kind: string): PolicyDefinition {
  const definition = findPolicy(kind)
  if (definition === undefined) throw new Error(`Unknown policy ${kind}`)
  return definition
}

async function refuseToFetch(url: string): Promise<FetchedDocument> {
  throw new Error(`This test expects no fetch, but ${url} was asked for`)
}

const unexpectedCounter = (): never => {
  throw new Error('This test expects no counters; pass some as an option')
}
const noCounters: Counters = {
  tokenBucket: unexpectedCounter,
  fixedWindow: unexpectedCounter,
  slidingWindow: unexpectedCounter,
  gauge: unexpectedCounter,
}
