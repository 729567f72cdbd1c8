import { expect, test } from 'vitest'
import { chunks, findInChunks } from './chunks.ts'

test('a list in chunks is the list again, and no chunk is empty', () => {
  for (const length of [0, 1, 499, 500, 501, 1_000, 1_001]) {
    const list = Array.from({ length }, (_, index) => index)
    const parts = chunks(list)
    expect(parts.flat()).toEqual(list)
    expect(parts.every((part) => part.length > 0 && part.length <= 500)).toBe(true)
  }
})

test('each key is asked for once, and without keys nothing is asked', async () => {
  const asked: number[][] = []
  const find = (some: readonly number[]): Promise<number[]> => {
    asked.push([...some])
    return Promise.resolve([...some])
  }
  expect(await findInChunks([], find)).toEqual([])
  expect(asked).toEqual([])
  const keys = Array.from({ length: 700 }, (_, index) => index % 600)
  expect(await findInChunks(keys, find)).toHaveLength(600)
  expect(asked.map(({ length }) => length)).toEqual([500, 100])
})
