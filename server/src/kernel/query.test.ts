import fc from 'fast-check'
import { expect, test } from 'vitest'
import { queryJoined, queryMap, queryValue, queryValues, withoutQueryName, withoutQueryNames } from './query.ts'

test('a parameter is found by its decoded name, and the first one counts', () => {
  expect(queryValue('b=0&a=1&a=2', 'a')).toBe('1')
  expect(queryValue('%61=x+y%21', 'a')).toBe('x y!')
  expect(queryValue('ab=1&a', 'a')).toBe('')
  expect(queryValue('ab=1&ba=2', 'a')).toBeUndefined()
  expect(queryValue(undefined, 'a')).toBeUndefined()
  expect(queryValue('a=%E0%A4%A', 'a')).toContain('\ufffd')
})

test('reads what URLSearchParams reads', () => {
  const piece = fc.string({ unit: fc.constantFrom('a', 'b', '=', '&', '%', '+', '2', '6', '1', 'é') })
  fc.assert(
    fc.property(piece, fc.constantFrom('a', 'b', 'ab', 'é', 'a b'), (query, name) => {
      // Node's takes a letter beyond ASCII for a byte where an escape beside it is not UTF-8 (`é%aa`).
      const params = new URLSearchParams(query.replaceAll('é', '%C3%A9'))
      expect(queryValue(query, name)).toBe(params.get(name) ?? undefined)
      expect(queryValues(query, name)).toEqual(params.getAll(name))
      const all = params.has(name) ? params.getAll(name).join(', ') : undefined
      expect(queryJoined(query, name)).toBe(all)
      expect(queryMap(query, 1000)?.get(name)).toBe(all)
    }),
    {
      examples: [
        ['é%', 'é'],
        ['é%=é%é', 'é%'],
      ],
      numRuns: 500,
    },
  )
})

test('a name is taken away in every spelling and all else stays byte for byte', () => {
  expect(withoutQueryName('x=%20&key=1&%6bey=2&y', 'key')).toBe('x=%20&y')
  expect(withoutQueryName('key=1', 'key')).toBeUndefined()
  expect(withoutQueryName('keys=1&', 'key')).toBe('keys=1&')
  expect(withoutQueryNames('x=%20&key=1&&%6bey=2&y&id', new Set(['key', 'id', '']))).toBe('x=%20&&y')
  expect(withoutQueryNames('key=1&id', new Set(['key', 'id']))).toBeUndefined()
})

test('more names than the limit are told and not gathered', () => {
  expect(queryMap('a&b&c', 2)).toBeUndefined()
  expect(queryMap('a&b&a', 2)?.size).toBe(2)
})
