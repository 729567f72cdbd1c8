import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LATENCY_BUCKETS, LatencySketch } from './latency-sketch.ts'

const durations = fc.array(fc.double({ min: 0.1, max: 600_000, noNaN: true }), { minLength: 1, maxLength: 300 })

function sketchOf(values: readonly number[]): LatencySketch {
  const sketch = new LatencySketch()
  for (const value of values) sketch.add(value)
  return sketch
}

test('a quantile is off by at most five percent', () => {
  fc.assert(
    fc.property(durations, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
      const exact = values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(share * values.length)) - 1] ?? 0
      expect(Math.abs(sketchOf(values).quantile(share) - exact)).toBeLessThanOrEqual(0.050001 * exact)
    }),
  )
})

test('sketches of parts add up to the sketch of the whole', () => {
  fc.assert(
    fc.property(durations, durations, (some, others) => {
      const sum = sketchOf(some)
      sum.merge(sketchOf(others).toPairs())
      const whole = sketchOf([...some, ...others])
      expect([sum.count, sum.toPairs()]).toEqual([whole.count, whole.toPairs()])
    }),
  )
})

test('counts how many took clearly longer than a limit', () => {
  expect(sketchOf([1, 2, 3, 100, 200]).countAbove(10)).toBe(2)
})

test('has a fixed size, takes the longest waits, and knows nothing of an empty one', () => {
  const sketch = sketchOf([0, Number.NaN, 1e12])
  expect(sketch.count).toBe(3)
  expect(sketch.toPairs().length).toBeLessThanOrEqual(2 * LATENCY_BUCKETS)
  expect(new LatencySketch().quantile(0.99)).toBe(0)
})

test('leaves out what names no bucket', () => {
  const sketch = new LatencySketch()
  sketch.merge([LATENCY_BUCKETS, 5, -1, 5, 0.5, 5])
  expect(sketch.count).toBe(0)
})
