import { expect, test } from 'vitest'
import { chunks, findInChunks } from './chunks.ts'

test('a list in chunks is the list again, and no chunk is empty', () => {
  for (const length of [0, 1, 99, 100, 101, 200, 201]) {
    const list = Array.from({ length }, (_, index) => index)
    const parts = chunks(list)
    expect(parts.flat()).toEqual(list)
    expect(parts.every((part) => part.length > 0 && part.length <= 100)).toBe(true)
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
  const keys = Array.from({ length: 200 }, (_, index) => index % 150)
  expect(await findInChunks(keys, find)).toHaveLength(150)
  expect(asked.map(({ length }) => length)).toEqual([100, 50])
})
