import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from './json-text.ts'

const bounds = { maxDepth: 100, maxValues: 1_000, maxNames: 1_000 }

test('every value that is written as JSON is read again', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      expect(parseJson(JSON.stringify(value, undefined, indent), bounds)).toEqual({
        value: JSON.parse(JSON.stringify(value)),
      })
    }),
  )
})

/** Texts that are JSON nearly always, or nearly. */
const pieces = fc.constantFrom(
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"a"',
  '"b"',
  '"\\u0061"',
  '1',
  '-0',
  '01',
  '1.',
  '1e5',
  'true',
  'nul',
  ' ',
  '\n',
  '"',
  '\\',
  '\u0001',
)
const almostJson = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map((each) => each.join('')),
  fc
    .tuple(fc.json(), fc.nat(), pieces)
    .map(([text, at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice(at % (text.length + 1))),
)

test('what the engine refuses is refused, and what it accepts only for a name that stands twice', () => {
  fc.assert(
    fc.property(almostJson, (text) => {
      const result = parseJson(text, bounds)
      let isJson = true
      try {
        JSON.parse(text)
      } catch {
        isJson = false
      }
      if (!isJson) expect('reason' in result).toBe(true)
      else if ('reason' in result) expect(result.reason).toBe('a name stands twice in one object')
    }),
    { numRuns: 3000 },
  )
})

describe('a flaw is told with its place', () => {
  test.each([
    ['', 'the text ends too early', 1, 1],
    ['{"a": 1,\n "b" 2}', 'a colon is missing', 2, 6],
    ['[1 2]', 'a comma or ] is missing', 1, 4],
    ['{"a":1,}', 'a name in quotes is missing', 1, 8],
    ["{'a':1}", 'a name in quotes is missing', 1, 2],
    ['[1,]', 'a value is missing', 1, 4],
    ['[01]', 'a comma or ] is missing', 1, 3],
    ['NaN', 'a value is missing', 1, 1],
    ['{} {}', 'the text goes on behind its value', 1, 4],
    ['\uFEFF{}', 'a value is missing', 1, 1],
    ['"a\nb"', 'a control character stands in a string', 1, 3],
    ['"\\x41"', 'an escape is not known', 1, 2],
    ['{"a":1,"b":{"a":2},"a":3}', 'a name stands twice in one object', 1, 20],
    ['{"a":1,"\\u0061":2}', 'a name stands twice in one object', 1, 8],
    ['[{"a":1,"b":2},{"a":1,"b":2,"a":3}]', 'a name stands twice in one object', 1, 29],
    ['[{"b":1,"a":2},{"a":1,"b":2,"\\u0061":3}]', 'a name stands twice in one object', 1, 29],
    ['[{"":1,"":2}]', 'a name stands twice in one object', 1, 8],
    ['{"__proto__":1,"__proto__":2}', 'a name stands twice in one object', 1, 16],
    ['[[[[1]]]]', 'it is nested more than 3 deep', 1, 4],
  ])('%j: %s', (text, reason, line, column) => {
    expect(parseJson(text, { ...bounds, maxDepth: 3 })).toEqual({ reason, line, column })
  })
})

test('a million open brackets are refused at the bound and overflow nothing', () => {
  expect(parseJson('['.repeat(1_000_000), { ...bounds, maxDepth: 64 })).toMatchObject({ column: 65 })
  expect(parseJson(`${'['.repeat(64)}${']'.repeat(64)}`, { ...bounds, maxDepth: 64 })).toHaveProperty('value')
})

test('a name that stands twice is found among many, whatever objects came before', () => {
  const names = Array.from({ length: 40 }, (_, at) => `n${at}`)
  const write = (each: readonly string[]): string => `{${each.map((name) => `"${name}":0`).join()}}`
  fc.assert(
    fc.property(fc.array(fc.array(fc.constantFrom(...names), { maxLength: 60 }), { maxLength: 8 }), (objects) => {
      const isUnique = objects.every((each) => new Set(each).size === each.length)
      expect('value' in parseJson(`[${objects.map(write).join()}]`, bounds)).toBe(isUnique)
    }),
  )
  const permutations = fc.array(fc.shuffledSubarray(names, { minLength: 20 }), { maxLength: 8 })
  fc.assert(
    fc.property(permutations, (objects) => {
      expect(parseJson(`[${objects.map(write).join()}]`, bounds)).toHaveProperty('value')
    }),
  )
})

describe('what a text holds is counted before it becomes a value', () => {
  const few = { maxDepth: 9, maxValues: 5, maxNames: 3 }
  test.each([
    ['[1,2,3,4]', true],
    ['[1,2,3,4,5]', false],
    ['[[],[],[],[]]', true],
    ['[[],[],[],[[]]]', false],
    ['{"a":{"b":{"c":1}}}', true],
    ['{"a":1,"b":1,"c":1,"d":1}', false],
    ['[{"a":1,"b":1}]', true],
  ])('%s', (text, isFine) => {
    expect('value' in parseJson(text, few)).toBe(isFine)
  })

  test('records that are alike count their names once, others each time', () => {
    const many = { ...few, maxValues: 1_000 }
    expect(parseJson(`[${'{"a":1,"b":[{"c":1}]},'.repeat(100)}1]`, many)).toHaveProperty('value')
    expect(parseJson('[{"a":1,"b":1},{"b":1,"a":1}]', many)).toEqual({
      excess: 'it has more than 3 names; those of objects that are alike count once',
    })
    expect(parseJson(`[${'1,'.repeat(1_000)}1]`, many)).toEqual({ excess: 'it has more than 1000 values' })
  })
})
