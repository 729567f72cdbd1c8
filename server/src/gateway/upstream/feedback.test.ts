import { expect, test } from 'vitest'
import { testTarget, testUpstream } from '../../../test/test-upstream.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { createTargetFeedback, type TargetFeedback, toFailureKind } from './feedback.ts'
import type { Target } from './target.ts'
import { TargetSet } from './target-set.ts'

const outlierDetection = { consecutiveFailures: 3, baseEjectionMs: 1_000, maxEjectionMs: 8_000, maxEjectedPercent: 50 }

function setUp(count: number, outlier = outlierDetection): { set: TargetSet; feedback: TargetFeedback } {
  const set = new TargetSet(Array.from({ length: count }, (_none, index) => testTarget(`t${index}`)))
  return { set, feedback: createTargetFeedback(testUpstream({ outlierDetection: outlier }), set) }
}

function targetAt(set: TargetSet, index: number): Target {
  const target = set.targets[index]
  if (target === undefined) throw new Error(`there is no target ${index}`)
  return target
}

function fail(feedback: TargetFeedback, target: Target, times: number, nowMs: number): void {
  for (let i = 0; i < times; i++) {
    const attempt = feedback.started(target, nowMs)
    feedback.failed(attempt, 'reset', nowMs)
    feedback.finished(attempt)
  }
}

function answer(feedback: TargetFeedback, target: Target, status: number, nowMs: number): void {
  const attempt = feedback.started(target, nowMs)
  feedback.succeeded(attempt, status, nowMs)
  feedback.finished(attempt)
}

test('a target is ejected after failures in a row and comes back by itself', () => {
  const { set, feedback } = setUp(2)
  const target = targetAt(set, 0)
  fail(feedback, target, 2, 0)
  answer(feedback, target, 200, 0)
  fail(feedback, target, 2, 0)
  expect(target.isFit(0)).toBe(true)
  answer(feedback, target, 503, 0)
  expect(target.isFit(999)).toBe(false)
  expect(target.isFit(1_000)).toBe(true)
})

test('each further ejection is longer, up to the limit, and good conduct is remembered', () => {
  const { set, feedback } = setUp(2)
  const target = targetAt(set, 0)
  const lengths: number[] = []
  let nowMs = 0
  for (let i = 0; i < 5; i++) {
    fail(feedback, target, 3, nowMs)
    lengths.push(target.ejectedUntilMs - nowMs)
    nowMs = target.ejectedUntilMs
  }
  expect(lengths).toEqual([1_000, 2_000, 4_000, 8_000, 8_000])
  nowMs += 60_000
  fail(feedback, target, 3, nowMs)
  expect(target.ejectedUntilMs - nowMs).toBe(1_000)
})

test('never more than the allowed share is out, and the last fit target stays whatever it does', () => {
  const { set, feedback } = setUp(4)
  for (const target of set.targets) fail(feedback, target, 10, 0)
  expect(set.targets.filter((target) => target.isFit(0)).length).toBe(2)
  const single = setUp(1)
  fail(single.feedback, targetAt(single.set, 0), 10, 0)
  expect(targetAt(single.set, 0).isFit(0)).toBe(true)
  const open = setUp(3, { ...outlierDetection, maxEjectedPercent: 100 })
  for (const target of open.set.targets) fail(open.feedback, target, 10, 0)
  expect(open.set.targets.filter((target) => target.isFit(0)).length).toBe(1)
})

test('one target may be out even when the share of one is more than allowed, but none at 0 percent', () => {
  const few = setUp(3, { ...outlierDetection, maxEjectedPercent: 10 })
  fail(few.feedback, targetAt(few.set, 0), 3, 0)
  expect(targetAt(few.set, 0).isFit(0)).toBe(false)
  const none = setUp(3, { ...outlierDetection, maxEjectedPercent: 0 })
  fail(none.feedback, targetAt(none.set, 0), 10, 0)
  expect(targetAt(none.set, 0).isFit(0)).toBe(true)
})

test('a target whose answers begin well and break off is ejected too', () => {
  const { set, feedback } = setUp(2)
  const target = targetAt(set, 0)
  for (let i = 0; i < 3; i++) {
    const attempt = feedback.started(target, 0)
    feedback.succeeded(attempt, 200, 0)
    feedback.failed(attempt, 'reset', 0)
    feedback.finished(attempt)
  }
  expect(target.isFit(0)).toBe(false)
})

test('an exchange whose client left says nothing about the target', () => {
  const { set, feedback } = setUp(2)
  const target = targetAt(set, 0)
  fail(feedback, target, 2, 0)
  feedback.finished(feedback.started(target, 0))
  expect(target.inFlight).toBe(0)
  fail(feedback, target, 1, 0)
  expect(target.isFit(0)).toBe(false)
})

test('the breaker of a target is told of every outcome, and its trial of its own', () => {
  const { set, feedback } = setUp(1)
  const target = targetAt(set, 0)
  target.breaker = new CircuitBreaker({ failurePercent: 50, minimumRequests: 2, windowMs: 1_000, openMs: 1_000 })
  fail(feedback, target, 2, 0)
  expect(target.isAdmitted(0)).toBe(false)
  const trial = feedback.started(target, 1_000)
  expect(target.isAdmitted(1_000)).toBe(false)
  feedback.succeeded(trial, 200, 1_001)
  expect(target.breaker.state).toBe('closed')
  feedback.finished(trial)
})

test('towards peak-EWMA a failure counts as slow, however fast it came', () => {
  const set = new TargetSet([testTarget('a'), testTarget('b')])
  const spec = testUpstream({ loadBalancing: { algorithm: 'peak-ewma', hashBy: undefined } })
  const feedback = createTargetFeedback(spec, set)
  answer(feedback, targetAt(set, 0), 503, 0)
  const attempt = feedback.started(targetAt(set, 1), 0)
  feedback.succeeded(attempt, 200, 5)
  expect([targetAt(set, 0).latencyMs, targetAt(set, 1).latencyMs]).toEqual([1_000, 5])
})

test('a full pool and a broken request body are not the fault of the target', () => {
  expect([toFailureKind('full'), toFailureKind('request-body')]).toEqual([undefined, undefined])
  expect([toFailureKind('tls'), toFailureKind('timeout')]).toEqual(['connect', 'timeout'])
})
