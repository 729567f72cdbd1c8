import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RollingCounts } from './rolling-counts.ts'

test('counts what the last window saw, to a tenth of it', () => {
  const events = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 60 })
  fc.assert(
    fc.property(events, (gaps) => {
      const counts = new RollingCounts(1_000)
      const times: number[] = []
      let nowMs = 1_000_000
      for (const gap of gaps) {
        nowMs += gap
        times.push(nowMs)
        counts.add(1, 2, nowMs)
      }
      counts.sum(nowMs)
      const sure = times.filter((time) => time > nowMs - 900).length
      const possible = times.filter((time) => time > nowMs - 1_000).length
      expect(counts.first).toBeGreaterThanOrEqual(sure)
      expect(counts.first).toBeLessThanOrEqual(possible)
      expect(counts.second).toBe(2 * counts.first)
    }),
  )
})

test('is empty after a silence of a window, and after it was cleared', () => {
  const counts = new RollingCounts(1_000)
  counts.add(5, 5, 100)
  counts.sum(1_200)
  expect([counts.first, counts.second]).toEqual([0, 0])
  counts.add(5, 5, 1_200)
  counts.clear()
  counts.sum(1_200)
  expect([counts.first, counts.second]).toEqual([0, 0])
})
