import { expect, test } from 'vitest'
import { createIdGenerator } from './ids.ts'

test('ids are 32 hex digits: random ones, then a counter that leaves out nothing', () => {
  let drawn = 0
  const nextId = createIdGenerator((bytes) => Buffer.alloc(bytes, 0xa0 + drawn++))
  const ids = Array.from({ length: 70_000 }, nextId)
  const expected = ids.map((_, count) => 'a0'.repeat(12) + count.toString(16).padStart(8, '0'))
  expect(ids).toEqual(expected)
  expect(drawn).toBe(1)
})

test('generators share no id', () => {
  const ids = Array.from({ length: 100 }, () => createIdGenerator()())
  expect(new Set(ids).size).toBe(100)
})
