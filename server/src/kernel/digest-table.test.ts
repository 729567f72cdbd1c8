import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { DigestTable } from './digest-table.ts'

const digestOf = (key: string): string => hash('sha256', key, 'latin1')

test('finds what a map finds, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.integer())), fc.array(fc.string()), (entries, others) => {
      const table = new DigestTable<number>()
      const map = new Map<string, number>()
      for (const [key, value] of entries) {
        table.set(digestOf(key), value)
        map.set(key, value)
      }
      for (const key of [...map.keys(), ...others]) expect(table.get(digestOf(key))).toBe(map.get(key))
    }),
  )
})

test('a digest that differs in its last bit only is another one', () => {
  const table = new DigestTable<number>()
  const digest = digestOf('key')
  table.set(digest, 1)
  expect(table.get(digest.slice(0, 31) + String.fromCharCode(digest.charCodeAt(31) ^ 1))).toBeUndefined()
})
