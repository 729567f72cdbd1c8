import { expect, test } from 'vitest'
import { findInChunks, keyChunks, rowChunks } from './chunks.ts'

test.each([
  ['rows', rowChunks, 100],
  ['keys', keyChunks, 1_000],
])('%s in chunks are the same again, and no chunk is empty or too long', (_what, toChunks, most) => {
  for (const length of [0, 1, most - 1, most, most + 1, 2 * most]) {
    const list = Array.from({ length }, (_, index) => index)
    const parts = toChunks(list)
    expect(parts.flat()).toEqual(list)
    expect(parts.every((part) => part.length > 0 && part.length <= most)).toBe(true)
  }
})

test('each key is asked for once, and without keys nothing is asked', async () => {
  const asked: number[] = []
  const find = (some: readonly number[]): Promise<readonly number[]> => {
    asked.push(some.length)
    return Promise.resolve(some)
  }
  expect(await findInChunks([], find)).toEqual([])
  expect(asked).toEqual([])
  const keys = Array.from({ length: 2_000 }, (_, index) => index % 1_500)
  expect(await findInChunks(keys, find)).toHaveLength(1_500)
  expect(asked).toEqual([1_000, 500])
})
