import { beforeEach, expect, test } from 'vitest'
import { testEndpoint, testUpstream } from '../../../test/test-upstream.ts'
import type { UpstreamSpec } from '../../kernel/snapshot.ts'
import type { UpstreamClient } from './client.ts'
import { toTargetsKey } from './endpoint.ts'
import { toHealthVerdicts, UNHEALTHY } from './health-board.ts'
import type { Target } from './target.ts'
import { TargetRegistry } from './target-registry.ts'

/** What was opened and closed, by target. */
let opened: string[] = []
let closed: string[] = []

beforeEach(() => {
  opened = []
  closed = []
})

function createClient(_spec: UpstreamSpec, target: Target): UpstreamClient {
  const { id } = target.endpoint
  opened.push(id)
  return { send: () => ({ cancel: () => undefined, abort: () => undefined }), close: () => closed.push(id) }
}

const urls = (...ports: number[]) =>
  ports.map((port) => ({ url: `http://127.0.0.1:${port}`, srv: false, weight: 1, priority: 0 }))

const breakerSpec = { failurePercent: 50, minimumRequests: 2, windowMs: 1_000, openMs: 1_000 }

test('a target that stays in the next snapshot keeps its state and its connections', () => {
  const registry = new TargetRegistry(createClient)
  registry.adopt([testUpstream({ targets: urls(1, 2), circuitBreaker: breakerSpec })])
  const set = registry.targetsOf('books')
  const [first] = set.targets
  first?.breaker?.failed(0, 0)
  first?.breaker?.failed(0, 0)
  registry.adopt([testUpstream({ targets: urls(1, 3), circuitBreaker: { ...breakerSpec }, resolveSeconds: 5 })])
  expect(registry.targetsOf('books')).toBe(set)
  expect(set.targets[0]).toBe(first)
  expect(first?.breaker?.state).toBe('open')
  expect(opened.length).toBe(3)
  expect(closed).toEqual(['http://127.0.0.1:2 127.0.0.1:2'])
})

test('a breaker starts anew when its own settings change', () => {
  const registry = new TargetRegistry(createClient)
  registry.adopt([testUpstream({ circuitBreaker: breakerSpec })])
  const [target] = registry.targetsOf('books').targets
  target?.breaker?.failed(0, 0)
  target?.breaker?.failed(0, 0)
  registry.adopt([testUpstream({ circuitBreaker: { ...breakerSpec, openMs: 2_000 } })])
  expect(target?.breaker?.state).toBe('closed')
  registry.adopt([testUpstream()])
  expect(target?.breaker).toBeUndefined()
})

test('connections are made anew when the settings that they are made with change, and only then', () => {
  const registry = new TargetRegistry(createClient)
  const tls = { ca: undefined, cert: undefined, key: undefined, serverName: 'books.test', verify: true }
  registry.adopt([testUpstream({ tls })])
  registry.adopt([testUpstream({ tls, headers: [{ name: 'x-key', value: '1' }] })])
  expect([opened.length, closed.length]).toEqual([1, 0])
  registry.adopt([testUpstream({ tls: { ...tls, serverName: 'other.test' } })])
  expect([opened.length, closed.length]).toEqual([2, 1])
})

test('weights change in place', () => {
  const registry = new TargetRegistry(createClient)
  registry.adopt([testUpstream({ targets: urls(1) })])
  const [target] = registry.targetsOf('books').targets
  registry.adopt([testUpstream({ targets: urls(1).map((spec) => ({ ...spec, weight: 7 })) })])
  expect(registry.targetsOf('books').targets).toEqual([target])
  expect(target?.endpoint.weight).toBe(7)
})

test('resolved endpoints take the place of unresolved ones, and hold over a reload', () => {
  const registry = new TargetRegistry(createClient)
  const spec = testUpstream({ targets: [{ url: 'http://books.test', srv: false, weight: 1, priority: 0 }] })
  registry.adopt([spec])
  expect(registry.targetsOf('books').targets[0]?.endpoint.addresses).toEqual(['books.test'])
  const endpoints = [testEndpoint('a'), testEndpoint('b')]
  registry.update({ upstream: 'books', targetsKey: toTargetsKey(spec.targets), endpoints })
  registry.adopt([testUpstream({ ...spec, resolveSeconds: 1 })])
  expect(registry.targetsOf('books').targets.map(({ endpoint }) => endpoint.id)).toEqual(['a', 'b'])
})

test('what was found for the next snapshot waits for it', () => {
  const registry = new TargetRegistry(createClient)
  registry.adopt([testUpstream({ targets: urls(1) })])
  const next = testUpstream({ targets: [{ url: 'http://books.test', srv: false, weight: 1, priority: 0 }] })
  const found = { upstream: 'books', targetsKey: toTargetsKey(next.targets), endpoints: [testEndpoint('a')] }
  registry.update(found)
  expect(registry.targetsOf('books').targets[0]?.endpoint.port).toBe(1)
  registry.adopt([next])
  expect(registry.targetsOf('books').targets[0]?.endpoint.id).toBe('a')
})

test('a target reads its health from the shared board', () => {
  const verdicts = toHealthVerdicts(new SharedArrayBuffer(4))
  const registry = new TargetRegistry(createClient, verdicts)
  const spec = testUpstream()
  registry.adopt([spec])
  const endpoints = [testEndpoint('a', { healthSlot: 3 })]
  registry.update({ upstream: 'books', targetsKey: toTargetsKey(spec.targets), endpoints })
  const [target] = registry.targetsOf('books').targets
  expect(target?.isFit(0)).toBe(true)
  verdicts[3] = UNHEALTHY
  expect(target?.isFit(0)).toBe(false)
})

test('an upstream that no snapshot names any more lets its connections go', () => {
  const registry = new TargetRegistry(createClient)
  registry.adopt([testUpstream({ name: 'a' }), testUpstream({ name: 'b' })])
  registry.adopt([testUpstream({ name: 'b' })])
  expect(closed.length).toBe(1)
  expect(() => registry.targetsOf('a')).toThrow(/a/)
  registry.close()
  expect(closed.length).toBe(2)
})
