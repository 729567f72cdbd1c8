import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deliverChange, deliverWhole, unpackLines, type SnapshotLines } from './snapshot-delivery.ts'

const lines = fc
  .dictionary(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.jsonValue())
  .map((parts): SnapshotLines => {
    const entries = Object.entries(parts).map(([key, part]) => [key, JSON.stringify(part)] as const)
    return { version: 'any', lines: new Map(entries) }
  })

test('what is delivered as a whole is what there was', () => {
  fc.assert(
    fc.property(lines, (given) => {
      const taken = [...unpackLines(deliverWhole(given))].map(({ key, line }) => [key, line] as const)
      expect(new Map(taken)).toEqual(given.lines)
    }),
  )
})

test('a change leads from any lines to any others, and says no more than it must', () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const state = new Map(before.lines)
      for (const { key, line } of unpackLines(deliverChange(before, after))) {
        expect(state.get(key) ?? '').not.toBe(line)
        if (line === '') state.delete(key)
        else state.set(key, line)
      }
      expect(state).toEqual(after.lines)
    }),
  )
})
