import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CircuitBreaker } from './circuit-breaker.ts'

const spec = { failurePercent: 50, minimumRequests: 4, windowMs: 10_000, openMs: 5_000 }

function openedAt(nowMs: number): CircuitBreaker {
  const breaker = new CircuitBreaker(spec)
  for (let i = 0; i < 4; i++) breaker.failed(0, nowMs)
  return breaker
}

test('opens when the share of failures is reached, not before enough was seen', () => {
  const breaker = new CircuitBreaker(spec)
  for (let i = 0; i < 3; i++) breaker.failed(0, 0)
  expect(breaker.state).toBe('closed')
  breaker.failed(0, 0)
  expect(breaker.state).toBe('open')
  expect(breaker.admits(4_999)).toBe(false)
})

test('stays closed while most exchanges go well', () => {
  const breaker = new CircuitBreaker(spec)
  for (let i = 0; i < 100; i++) {
    breaker.succeeded(0, i)
    breaker.succeeded(0, i)
    breaker.failed(0, i)
  }
  expect(breaker.state).toBe('closed')
})

test('forgets what lies further back than its window', () => {
  const breaker = new CircuitBreaker(spec)
  for (let i = 0; i < 3; i++) breaker.failed(0, 0)
  breaker.failed(0, 11_000)
  expect(breaker.state).toBe('closed')
})

test('lets exactly one trial through after its rest', () => {
  const breaker = openedAt(0)
  expect(breaker.begin(4_999)).toBe(0)
  const trial = breaker.begin(5_000)
  expect(trial).toBeGreaterThan(0)
  expect(breaker.state).toBe('half-open')
  expect(breaker.admits(5_000)).toBe(false)
  expect(breaker.begin(5_001)).toBe(0)
})

test('closes with an empty memory when the trial goes well', () => {
  const breaker = openedAt(0)
  breaker.succeeded(breaker.begin(5_000), 5_000)
  expect(breaker.state).toBe('closed')
  for (let i = 0; i < 3; i++) breaker.failed(0, 5_001)
  expect(breaker.state).toBe('closed')
})

test('opens for another rest when the trial fails', () => {
  const breaker = openedAt(0)
  breaker.failed(breaker.begin(5_000), 5_100)
  expect(breaker.admits(10_000)).toBe(false)
  expect(breaker.admits(10_100)).toBe(true)
})

test('a trial that ends without an outcome makes room for the next one', () => {
  const breaker = openedAt(0)
  breaker.finished(breaker.begin(5_000))
  expect(breaker.admits(5_000)).toBe(true)
})

test('what began before it opened neither closes it nor ends the trial', () => {
  const breaker = openedAt(0)
  const trial = breaker.begin(5_000)
  breaker.succeeded(0, 5_001)
  breaker.failed(0, 5_002)
  breaker.finished(0)
  expect(breaker.state).toBe('half-open')
  breaker.failed(trial, 5_003)
  const next = breaker.begin(10_003)
  // The first trial's exchange ends only now.
  breaker.finished(trial)
  expect(breaker.state).toBe('half-open')
  breaker.succeeded(next, 10_004)
  expect(breaker.state).toBe('closed')
})

test('never has two trials at once, whatever happens', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3_000 })), {
    maxLength: 100,
  })
  fc.assert(
    fc.property(steps, (all) => {
      const breaker = openedAt(0)
      const trials: number[] = []
      let nowMs = 0
      for (const [step, passMs] of all) {
        nowMs += passMs
        const trial = trials.at(-1)
        if (step === 0 || trial === undefined) {
          const begun = breaker.begin(nowMs)
          if (begun !== 0) trials.push(begun)
          if (trials.length > 1) return false
        } else {
          if (step === 1) breaker.succeeded(trial, nowMs)
          if (step === 2) breaker.failed(trial, nowMs)
          breaker.finished(trial)
          trials.pop()
        }
      }
      return true
    }),
  )
})
