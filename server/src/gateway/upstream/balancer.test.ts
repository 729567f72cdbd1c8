import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seededRandom, testTarget } from '../../../test/test-upstream.ts'
import type { UpstreamSpec } from '../../kernel/snapshot.ts'
import { type Balancer, createBalancer } from './balancer.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { toHealthVerdicts, UNHEALTHY } from './health-board.ts'
import { observeLatency } from './peak-ewma.ts'
import type { Target } from './target.ts'
import { TargetSet } from './target-set.ts'

type AlgorithmName = UpstreamSpec['loadBalancing']['algorithm']
const ALGORITHMS: readonly AlgorithmName[] = ['round-robin', 'least-requests', 'peak-ewma', 'consistent-hash']

function balancerOf(algorithm: AlgorithmName, seed = 1): Balancer {
  return createBalancer({ algorithm, hashBy: undefined }, seededRandom(seed))
}

function openBreaker(target: Target): void {
  target.breaker = new CircuitBreaker({ failurePercent: 1, minimumRequests: 1, windowMs: 1_000, openMs: 1_000 })
  target.breaker.failed(0, 0)
}

/** How often each target is picked when all exchanges end at once. */
function countPicks(balancer: Balancer, set: TargetSet, picks: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let i = 0; i < picks; i++) {
    const id = balancer.pick(set, `key-${i}`, undefined, 0)?.endpoint.id ?? 'none'
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

describe.each(ALGORITHMS)('%s', (algorithm) => {
  test('picks the only target, and none when there is none', () => {
    const target = testTarget('a')
    expect(balancerOf(algorithm).pick(new TargetSet([target]), 'x', undefined, 0)).toBe(target)
    expect(balancerOf(algorithm).pick(new TargetSet(), 'x', undefined, 0)).toBeUndefined()
  })

  test('never picks a target that is unfit while another one is fit', () => {
    const verdicts = toHealthVerdicts(new SharedArrayBuffer(8))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 }), (faults) => {
        const targets = faults.map((fault, index) => {
          const target = testTarget(`t${index}`, { healthSlot: index + 1 }, verdicts)
          verdicts[index + 1] = fault === 1 ? UNHEALTHY : 0
          if (fault === 2) target.ejectedUntilMs = 1
          if (fault === 3) openBreaker(target)
          return target
        })
        const picked = balancerOf(algorithm).pick(new TargetSet(targets), 'x', undefined, 0)
        if (targets.some((target) => target.isFit(0))) return picked?.isFit(0) === true
        // In need an unhealthy or ejected one serves, but never one whose breaker is open.
        return targets.some((target) => target.isAdmitted(0)) ? picked?.isAdmitted(0) === true : picked === undefined
      }),
    )
  })

  test('a retry goes to a target that was not tried, and to a tried one only when there is no other', () => {
    const targets = ['a', 'b', 'c'].map((id) => testTarget(id))
    const set = new TargetSet(targets)
    const balancer = balancerOf(algorithm)
    const tried: Target[] = []
    for (let i = 0; i < 3; i++) {
      const target = balancer.pick(set, 'x', tried, 0)
      if (target !== undefined) tried.push(target)
    }
    expect(new Set(tried)).toEqual(new Set(targets))
    expect(balancer.pick(set, 'x', tried, 0)).toBeDefined()
  })

  test('a lower group serves only when no target of the higher one is fit or untried', () => {
    const first = testTarget('first')
    const spare = testTarget('spare', { priority: 1 })
    const set = new TargetSet([spare, first])
    const balancer = balancerOf(algorithm)
    expect(balancer.pick(set, 'x', undefined, 0)).toBe(first)
    expect(balancer.pick(set, 'x', [first], 0)).toBe(spare)
    first.ejectedUntilMs = 10
    expect(balancer.pick(set, 'x', undefined, 0)).toBe(spare)
    expect(balancer.pick(set, 'x', undefined, 10)).toBe(first)
  })

  test('a weight of 0 takes a target out of use', () => {
    const set = new TargetSet([testTarget('a', { weight: 0 }), testTarget('b')])
    expect([...countPicks(balancerOf(algorithm), set, 50).keys()]).toEqual(['b'])
  })
})

test('of targets that are all unfit, an ejected one goes before an unhealthy one, and the one with less to do first', () => {
  const verdicts = toHealthVerdicts(new SharedArrayBuffer(2))
  verdicts[1] = UNHEALTHY
  const sick = testTarget('sick', { healthSlot: 1 }, verdicts)
  const ejected = [testTarget('busy'), testTarget('free')]
  for (const target of ejected) target.ejectedUntilMs = 10
  for (const target of ejected.slice(0, 1)) target.inFlight = 3
  const set = new TargetSet([sick, ...ejected])
  expect(balancerOf('round-robin').pick(set, undefined, undefined, 0)?.endpoint.id).toBe('free')
  expect(balancerOf('round-robin').pick(set, undefined, ejected, 0)).toBe(sick)
})

test('a target that is fit is tried again before one that is known to be down', () => {
  const [fit, ejected] = [testTarget('fit'), testTarget('ejected')]
  ejected.ejectedUntilMs = 10
  const set = new TargetSet([ejected, fit])
  expect(balancerOf('round-robin').pick(set, undefined, [fit], 0)).toBe(fit)
})

test('round robin spreads weights smoothly', () => {
  const set = new TargetSet([testTarget('a', { weight: 5 }), testTarget('b'), testTarget('c')])
  const balancer = balancerOf('round-robin')
  const order = Array.from({ length: 14 }, () => balancer.pick(set, undefined, undefined, 0)?.endpoint.id).join('')
  expect(order).toBe('aabacaaaabacaa')
})

test('round robin gives each target exactly its share over a whole turn', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(weights, (all) => {
      const set = new TargetSet(all.map((weight, index) => testTarget(`${index}`, { weight })))
      const counts = countPicks(
        balancerOf('round-robin'),
        set,
        all.reduce((sum, weight) => sum + weight, 0),
      )
      return all.every((weight, index) => counts.get(`${index}`) === weight)
    }),
  )
})

test.each(['least-requests', 'consistent-hash'] as const)(
  '%s splits by weight when nothing is in flight',
  (algorithm) => {
    const set = new TargetSet([testTarget('a', { weight: 9 }), testTarget('b', { weight: 1 })])
    const counts = countPicks(balancerOf(algorithm), set, 20_000)
    const share = (counts.get('b') ?? 0) / 20_000
    expect(share).toBeGreaterThan(0.08)
    expect(share).toBeLessThan(0.12)
  },
)

test('least requests keeps the load in proportion to the weights', () => {
  const targets = [testTarget('a', { weight: 3 }), testTarget('b'), testTarget('c')]
  const set = new TargetSet(targets)
  const balancer = balancerOf('least-requests')
  for (let i = 0; i < 500; i++) {
    const target = balancer.pick(set, undefined, undefined, 0)
    if (target !== undefined) target.inFlight++
  }
  const [a = 0, b = 0, c = 0] = targets.map(({ inFlight }) => inFlight)
  expect(Math.abs(a - 300)).toBeLessThan(25)
  expect(Math.abs(b - c)).toBeLessThan(25)
})

test('peak-EWMA prefers the target that answers faster, and gives a slow one another chance later', () => {
  const [fast, slow] = [testTarget('fast'), testTarget('slow')]
  const set = new TargetSet([fast, slow])
  const balancer = balancerOf('peak-ewma')
  observeLatency(fast, 5, 0)
  observeLatency(slow, 200, 0)
  expect([...countPicks(balancer, set, 20).keys()]).toEqual(['fast'])
  fast.inFlight = 50
  expect(balancer.pick(set, undefined, undefined, 0)).toBe(slow)
  fast.inFlight = 0
  observeLatency(fast, 5, 60_000)
  expect(balancer.pick(set, undefined, undefined, 60_000)).toBe(slow)
})

test('peak-EWMA sends one exchange to a target that it does not know yet, not the whole herd', () => {
  const [known, unknown] = [testTarget('known'), testTarget('unknown')]
  const set = new TargetSet([known, unknown])
  observeLatency(known, 5, 0)
  const balancer = balancerOf('peak-ewma')
  expect(balancer.pick(set, undefined, undefined, 0)).toBe(unknown)
  unknown.inFlight = 1
  expect([...countPicks(balancer, set, 20).keys()]).toEqual(['known'])
})

describe('consistent hashing', () => {
  const keys = Array.from({ length: 5_000 }, (_none, index) => `client-${index}`)

  function ownersOf(set: TargetSet): Map<string, string> {
    const balancer = balancerOf('consistent-hash')
    return new Map(keys.map((key) => [key, balancer.pick(set, key, undefined, 0)?.endpoint.id ?? '']))
  }

  test('sends a key to the same target on every thread and after every start', () => {
    const ids = ['a', 'b', 'c', 'd']
    const once = ownersOf(new TargetSet(ids.map((id) => testTarget(id))))
    const again = ownersOf(new TargetSet(ids.toReversed().map((id) => testTarget(id))))
    expect(again).toEqual(once)
  })

  test('moves only the keys of a target that goes, or those that a new one wins', () => {
    const before = ownersOf(new TargetSet(['a', 'b', 'c', 'd'].map((id) => testTarget(id))))
    const after = ownersOf(new TargetSet(['a', 'b', 'c', 'd', 'e'].map((id) => testTarget(id))))
    const moved = keys.filter((key) => before.get(key) !== after.get(key))
    expect(moved.every((key) => after.get(key) === 'e')).toBe(true)
    expect(moved.length / keys.length).toBeGreaterThan(0.16)
    expect(moved.length / keys.length).toBeLessThan(0.24)
  })

  test('an unfit target loses its keys to all others and gets them back', () => {
    const targets = ['a', 'b', 'c'].map((id) => testTarget(id))
    const set = new TargetSet(targets)
    const before = ownersOf(set)
    for (const target of targets.slice(0, 1)) target.ejectedUntilMs = 1
    const during = ownersOf(set)
    for (const target of targets) target.ejectedUntilMs = 0
    const moved = keys.filter((key) => before.get(key) !== during.get(key))
    expect(moved.every((key) => before.get(key) === 'a')).toBe(true)
    expect(new Set(moved.map((key) => during.get(key)))).toEqual(new Set(['b', 'c']))
    expect(ownersOf(set)).toEqual(before)
  })

  test('a hot key spills over when its target is far busier than its share, not before', () => {
    const targets = ['a', 'b', 'c', 'd'].map((id) => testTarget(id))
    const set = new TargetSet(targets)
    const balancer = balancerOf('consistent-hash')
    for (let i = 0; i < 400; i++) {
      const target = balancer.pick(set, 'hot', undefined, 0)
      if (target !== undefined) target.inFlight++
      if (i === 15) expect(targets.filter(({ inFlight }) => inFlight > 0).length).toBe(1)
    }
    expect(Math.max(...targets.map(({ inFlight }) => inFlight))).toBeLessThanOrEqual(202)
  })
})
