import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { DigestTable, MOST_TEXT_BYTES } from './digest-table.ts'

const digestOf = (key: string): string => hash('sha256', key, 'latin1')

test('finds what a map finds, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.integer())), fc.array(fc.string()), (entries, others) => {
      const table = new DigestTable<number>()
      const map = new Map<string, number>()
      for (const [key, value] of entries) {
        table.set(digestOf(key), value, textOf(value))
        map.set(key, value)
      }
      for (const key of [...map.keys(), ...others])
        expect(readFrom(table, digestOf(key))).toEqual(expected(map.get(key)))
    }),
  )
})

test('a digest that differs in its last bit only is another one', () => {
  const table = new DigestTable<number>()
  const digest = digestOf('key')
  table.set(digest, 1, '')
  expect(table.find(digest.slice(0, 31) + String.fromCharCode(digest.charCodeAt(31) ^ 1))).toBeUndefined()
})

test('what was taken out is gone and all else stays, also in copies, which change apart', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.boolean()), { maxLength: 200 })
  fc.assert(
    fc.property(steps, steps, (first, second) => {
      const change = (table: DigestTable<number>, map: Map<number, number>, list: typeof first): void => {
        for (const [at, [key, stays]] of list.entries()) {
          if (stays) table.set(crowded(key), at, textOf(at))
          else table.delete(crowded(key))
          if (stays) map.set(key, at)
          else map.delete(key)
        }
      }
      const table = new DigestTable<number>()
      const map = new Map<number, number>()
      change(table, map, first)
      const copy = table.copy()
      const copiedMap = new Map(map)
      change(copy, copiedMap, second)
      for (let key = 0; key <= 40; key++) {
        expect(readFrom(table, crowded(key))).toEqual(expected(map.get(key)))
        expect(readFrom(copy, crowded(key))).toEqual(expected(copiedMap.get(key)))
      }
    }),
  )
})

/** Texts of all lengths, with all characters that a byte holds. */
function textOf(value: number): string {
  const length = Math.abs(value) % (MOST_TEXT_BYTES + 1)
  return Array.from({ length }, (_, at) => String.fromCharCode((value + 37 * at) & 255)).join('')
}

function readFrom(table: DigestTable<number>, digest: string): unknown {
  const slot = table.find(digest)
  return slot === undefined ? undefined : { value: table.valueAt(slot), text: table.textAt(slot) }
}

function expected(value: number | undefined): unknown {
  return value === undefined ? undefined : { value, text: textOf(value) }
}

/** Digests that want the same few slots, at the end of the table too. */
function crowded(key: number): string {
  return String.fromCharCode([255, 254, 0, 7][key % 4] ?? 0).repeat(3) + digestOf(String(key)).slice(3)
}
