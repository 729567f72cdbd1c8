import { expect, test } from 'vitest'
import { LatencySketch } from '../../kernel/latency-sketch.ts'
import type { CountSum } from './deployment-counts.ts'
import { judgeCanary } from './judge-canary.ts'

const bounds = { maxErrorRateDelta: 0.02, maxP99Ratio: 2, minRequests: 50, windowSeconds: 300 }

/** Requests of `durationMs`, the last `slow` of them of ten times as much. */
function counted(requests: number, errors = 0, durationMs = 20, slow = 0): CountSum {
  const latency = new LatencySketch()
  for (let at = 0; at < requests; at++) latency.add(at < requests - slow ? durationMs : durationMs * 10)
  return { requests, errors, latency }
}

test('waits until each revision has had enough requests, however bad the first ones are', () => {
  expect(judgeCanary(bounds, counted(49, 49), counted(500)).kind).toBe('open')
  expect(judgeCanary(bounds, counted(500, 500), counted(49)).kind).toBe('open')
})

test('errors above what is allowed are worse, with both rates in the reason', () => {
  const verdict = judgeCanary(bounds, counted(100, 20), counted(900, 9))
  expect(verdict.kind).toBe('worse')
  expect(verdict.reason).toBe(
    '20 % of the answers were errors, with the old revision 1 %; 2 % more are allowed (100 requests of the new revision and 900 of the old one)',
  )
})

test('errors that the old revision has as well are not held against the new one', () => {
  expect(judgeCanary(bounds, counted(200, 100), counted(1000, 500)).kind).toBe('good')
})

test('one bad request of fifty proves nothing', () => {
  expect(judgeCanary(bounds, counted(50, 1), counted(500)).kind).toBe('good')
  expect(judgeCanary(bounds, counted(50, 0, 20, 1), counted(500)).kind).toBe('good')
})

test('a slower hundredth is worse, with both latencies in the reason', () => {
  const verdict = judgeCanary(bounds, counted(500, 0, 20, 25), counted(500))
  expect(verdict.kind).toBe('worse')
  expect(verdict.reason).toContain('p99 was 192 ms, with the old revision 19.3 ms; 2 times as much is allowed')
})

test('the same latency, and differences of a few milliseconds, are no worse', () => {
  expect(judgeCanary(bounds, counted(500), counted(500)).kind).toBe('good')
  expect(judgeCanary(bounds, counted(500, 0, 3), counted(500, 0, 0.5)).kind).toBe('good')
})
