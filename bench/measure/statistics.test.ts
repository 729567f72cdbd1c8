import { describe, expect, test } from 'vitest'
import { median, medianInterval, percentile } from './statistics.ts'

describe('statistics of paired slices', () => {
  test('the median of an even number of values lies between the two in the middle', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([9, 1, 5])).toBe(5)
  })

  test('the interval of twenty values goes from the sixth smallest to the sixth largest, as sign-test tables say', () => {
    const values = Array.from({ length: 20 }, (_, index) => index + 1)
    expect(medianInterval(values)).toEqual({ median: 10.5, low: 6, high: 15 })
  })

  test('too few values for an interval give their full range', () => {
    expect(medianInterval([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3 })
  })

  test('a percentile is a value that was measured', () => {
    expect(percentile([10, 20, 30, 40], 0.5)).toBe(20)
    expect(percentile([10, 20, 30, 40], 0.99)).toBe(40)
  })
})
