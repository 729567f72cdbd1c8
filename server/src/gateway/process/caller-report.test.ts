import { expect, test } from 'vitest'
import { testClock } from '../../../test/test-services.ts'
import { CallerReport } from './caller-report.ts'

const dayStartMs = Date.UTC(2026, 5, 1)
const counts = (consumer: string, requests: number) => [{ api: 'books', apiVersion: '1', consumer, requests }]

test('tells nothing when nobody called', () => {
  expect(new CallerReport(testClock(dayStartMs)).take()).toEqual({})
})

test('adds up by consumer and day, and tells it once', () => {
  const clock = testClock(dayStartMs + 1000)
  const report = new CallerReport(clock)
  report.add(counts('acme', 2))
  report.add(counts('acme', 3))
  report.add(counts('', 1))
  const told = { api: 'books', version: '1', dayStartMs, lastSeenMs: dayStartMs + 1000 }
  expect(report.take().callers?.counts).toEqual([
    { ...told, consumer: 'acme', requests: 5 },
    { ...told, consumer: '', requests: 1 },
  ])
  report.taken()
  expect(report.take()).toEqual({})
})

test('tells the very same again when it was lost, and what came later after it', () => {
  const report = new CallerReport(testClock(dayStartMs))
  report.add(counts('acme', 2))
  const first = report.take()
  report.lost()
  report.add(counts('acme', 7))
  expect(report.take()).toEqual(first)
  report.taken()
  expect(report.take().callers?.counts[0]?.requests).toBe(7)
})

test('keeps apart only so many while control is away, and counts all others together', () => {
  const report = new CallerReport(testClock(dayStartMs))
  for (let at = 0; at < 20_003; at++) report.add(counts(`consumer-${at}`, 1))
  let consumers: string[] = []
  for (;;) {
    const told = report.take().callers?.counts
    if (told === undefined) break
    expect(told.length).toBeLessThanOrEqual(500)
    consumers = [...consumers, ...told.map(({ consumer, requests }) => `${consumer} ${requests}`)]
    report.taken()
  }
  expect(consumers).toHaveLength(20_001)
  expect(consumers.at(-1)).toBe('* 3')
})
