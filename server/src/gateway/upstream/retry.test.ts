import { expect, test } from 'vitest'
import { testUpstream } from '../../../test/test-upstream.ts'
import { type SentState, UpstreamError, type UpstreamErrorKind } from './client.ts'
import { RetryBudget } from './retry-budget.ts'
import { isRetrySafe, isRetryStatus, toBackoffMs } from './retry.ts'

const failure = (sent: SentState, kind: UpstreamErrorKind = 'reset'): UpstreamError => new UpstreamError(kind, sent, '')

test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])('%s may be repeated whatever was sent', (method) => {
  expect(isRetrySafe(method, true, failure('some'))).toBe(true)
  expect(isRetryStatus(method, true, 503, { ...testUpstream().retries, statuses: [503] })).toBe(true)
})

test.each(['POST', 'PATCH', 'CONNECT', 'LOCK', 'get'])('%s is repeated only when the target did nothing', (method) => {
  expect(isRetrySafe(method, true, failure('some'))).toBe(false)
  expect(isRetrySafe(method, true, failure('nothing', 'connect'))).toBe(true)
  expect(isRetrySafe(method, true, failure('unprocessed'))).toBe(true)
  expect(isRetryStatus(method, true, 503, { ...testUpstream().retries, statuses: [503] })).toBe(false)
})

test('a body that cannot be sent again, or broke off itself, ends the trying', () => {
  expect(isRetrySafe('GET', false, failure('nothing'))).toBe(false)
  expect(isRetrySafe('GET', true, failure('nothing', 'request-body'))).toBe(false)
  expect(isRetryStatus('GET', false, 503, { ...testUpstream().retries, statuses: [503] })).toBe(false)
})

test('a status is retried only when it is configured', () => {
  expect(isRetryStatus('GET', true, 500, { ...testUpstream().retries, statuses: [503] })).toBe(false)
})

test('waits double and are drawn from their whole range, up to a limit', () => {
  const { retries } = testUpstream()
  expect([1, 2, 3].map((retry) => toBackoffMs(retries, retry, () => 1))).toEqual([10, 20, 40])
  expect(toBackoffMs(retries, 60, () => 1)).toBe(320)
  expect(toBackoffMs(retries, 5, () => 0)).toBe(0)
})

test('the budget allows a share of the recent requests and a few per second besides', () => {
  const budget = new RetryBudget({ ...testUpstream().retries, budgetPercent: 20, budgetMinPerSecond: 1 })
  const takeAll = (nowMs: number): number => {
    let taken = 0
    while (budget.take(nowMs)) taken++
    return taken
  }
  expect(takeAll(0)).toBe(10)
  for (let i = 0; i < 100; i++) budget.countRequest(1_000)
  expect(takeAll(1_000)).toBe(20)
  expect(takeAll(5_000)).toBe(0)
  expect(takeAll(30_000)).toBe(10)
})

test('a budget of nothing allows no retry', () => {
  const budget = new RetryBudget({ ...testUpstream().retries, budgetPercent: 0, budgetMinPerSecond: 0 })
  budget.countRequest(0)
  expect(budget.take(0)).toBe(false)
})
