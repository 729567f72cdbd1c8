import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deliverChange, deliverWhole, linesOf, packLines, type SnapshotLines } from './snapshot-delivery.ts'

const lines = fc
  .dictionary(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.jsonValue())
  .map((parts): SnapshotLines => {
    const entries = Object.entries(parts).map(([key, part]) => [key, JSON.stringify(part)] as const)
    return { version: 'any', lines: new Map(entries) }
  })

test('what is delivered as a whole is what there was', async () => {
  await fc.assert(
    fc.asyncProperty(lines, async (given) => {
      const taken = [...linesOf(await deliverWhole(given))].map(({ key, line }) => [key, line] as const)
      expect(new Map(taken)).toEqual(given.lines)
    }),
  )
})

test('a change leads from any lines to any others, and says no more than it must', async () => {
  await fc.assert(
    fc.asyncProperty(lines, lines, async (before, after) => {
      const state = new Map(before.lines)
      for (const { key, line } of linesOf(await deliverChange(before, after))) {
        expect(state.get(key) ?? '').not.toBe(line)
        if (line === '') state.delete(key)
        else state.set(key, line)
      }
      expect(state).toEqual(after.lines)
    }),
  )
})

/** Of thousands of routes. */
const many: SnapshotLines = {
  version: 'any',
  lines: new Map(
    Array.from({ length: 5_000 }, (_, at) => [`routes/${at}`, JSON.stringify({ at, note: 'ü'.repeat(400) })]),
  ),
}

test('thousands of lines travel in small pieces of whole lines, with a pause after each', async () => {
  let pauses = 0
  const { pieces } = await deliverWhole(many, async () => void pauses++)
  expect(pieces.length).toBeGreaterThan(50)
  expect(pauses).toBe(pieces.length)
  for (const { byteLength } of pieces) expect(byteLength).toBeLessThan(100_000)
})

test('a line that is longer than a piece is a piece of its own', () => {
  const long = JSON.stringify('x'.repeat(200_000))
  const pieces = [
    ...packLines([
      ['a', '1'],
      ['b', long],
      ['c', '2'],
    ]),
  ]
  expect(pieces.map(String)).toEqual([`"a"\n1\n"b"\n${long}\n`, '"c"\n2\n'])
})
