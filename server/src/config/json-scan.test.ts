import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countNames, findOffset, findRepeatedName, toPosition } from './json-scan.ts'
import type { KeyPath } from './issues.ts'

const name = fc.constantFrom('a', 'b', 'a b', '"', '\\', '{', ':', ',', 'é', '')
const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(1, -2.5e3, true, null, '', 'a":1', '\\', '[{'),
    tie('list'),
    tie('map'),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  map: fc.dictionary(name, tie('value'), { maxKeys: 4 }),
})).value
const space = fc.constantFrom(undefined, 1, '\t')

/** Every path of a value, with what it leads to. */
function listPaths(value: unknown, path: KeyPath = []): [KeyPath, unknown][] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const isList = Array.isArray(value)
  return [[path, value], ...inner.flatMap(([key, each]) => listPaths(each, [...path, isList ? Number(key) : key]))]
}

test('every value and key of a text is found where it stands', () => {
  fc.assert(
    fc.property(tree, space, (value, indent) => {
      const text = JSON.stringify(value, undefined, indent)
      for (const [path, inner] of listPaths(value)) {
        const rest = text.slice(findOffset(text, path, 'value'))
        const shown = JSON.stringify(inner, undefined, indent)
        // Lines of what stands inside are indented further.
        expect(rest.replaceAll(/\n\s*/g, '').startsWith(shown.replaceAll(/\n\s*/g, ''))).toBe(true)
        const key = path.at(-1)
        if (typeof key === 'string')
          expect(text.startsWith(JSON.stringify(key), findOffset(text, path, 'key'))).toBe(true)
      }
    }),
    { numRuns: 1000 },
  )
})

test('what is not there is looked for as far as the path leads', () => {
  const text = '{ "a": [1, { "b": 2 }] }'
  expect(text.slice(findOffset(text, ['a', 1, 'c', 'd'], 'value'))).toBe('{ "b": 2 }] }')
  expect(text.slice(findOffset(text, ['a', 7], 'key'))).toBe('"a": [1, { "b": 2 }] }')
  expect(findOffset('', ['a'], 'value')).toBe(0)
})

test('names are counted as often as they are written', () => {
  fc.assert(
    fc.property(tree, space, (value, indent) => {
      const names = listPaths(value).filter(([path]) => typeof path.at(-1) === 'string')
      expect(countNames(JSON.stringify(value, undefined, indent))).toBe(names.length)
    }),
    { numRuns: 1000 },
  )
  expect(countNames('{"a":1,"a":{"a":":"}}')).toBe(3)
})

describe('a name that stands twice', () => {
  test.each([
    ['{"a":1,"a":2}', ['a'], 7],
    ['{"a":[{},{"b":1, "b" :2}]}', ['a', 1, 'b'], 17],
    [String.raw`{"a":1,"\u0061":2}`, ['a'], 7],
    [String.raw`{"\"":"\\","\"":1}`, ['"'], 11],
    ['[[],[1,{"x":{},"y":{"x":1,"x":1}}]]', [1, 1, 'y', 'x'], 26],
  ] as const)('is found in %s', (text, path, offset) => expect(findRepeatedName(text)).toEqual({ path, offset }))

  test('is not found where none does', () => {
    fc.assert(
      fc.property(tree, space, (value, indent) => {
        expect(findRepeatedName(JSON.stringify(value, undefined, indent))).toBeUndefined()
      }),
    )
  })
})

test('a text of tens of megabytes in one string is no trouble', () => {
  const text = `{"a":"${'x\\"'.repeat(10_000_000)}","b":1}`
  expect(countNames(text)).toBe(2)
  expect(findRepeatedName(text)).toBeUndefined()
  expect(text.slice(findOffset(text, ['b'], 'key'))).toBe('"b":1}')
})

test('lines and columns count from one', () => {
  expect([0, 1, 2, 4].map((offset) => toPosition('a\nbc\n', offset))).toEqual([
    { line: 1, column: 1 },
    { line: 1, column: 2 },
    { line: 2, column: 1 },
    { line: 2, column: 3 },
  ])
})
