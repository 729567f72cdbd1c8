import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededRandom } from '../../../test/test-upstream.ts'
import { WeightedDraw } from './weighted-draw.ts'

test('draws each index as often as its weight says', () => {
  const weights = [1, 2, 3, 4]
  const draw = new WeightedDraw(weights)
  const random = seededRandom(7)
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < 100_000; i++) {
    const index = draw.next(random)
    counts[index] = (counts[index] ?? 0) + 1
  }
  for (const [index, weight] of weights.entries()) {
    expect(Math.abs((counts[index] ?? 0) / 100_000 - weight / 10)).toBeLessThan(0.01)
  }
})

test('only ever draws an index that is there', () => {
  const weights = fc.array(fc.double({ min: 0.001, max: 1_000, noNaN: true }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(weights, fc.double({ min: 0, max: 0.999_999, noNaN: true }), (all, drawn) => {
      const index = new WeightedDraw(all).next(() => drawn)
      return Number.isInteger(index) && index >= 0 && index < all.length
    }),
  )
})
