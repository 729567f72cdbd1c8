import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from './json-text.ts'

test('every value that is written as JSON is read again', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      expect(parseJson(JSON.stringify(value, undefined, indent), 100)).toEqual({
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
      const result = parseJson(text, 100)
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
    ['{"__proto__":1,"__proto__":2}', 'a name stands twice in one object', 1, 16],
    ['[[[[1]]]]', 'it is nested more than 3 deep', 1, 4],
  ])('%j: %s', (text, reason, line, column) => {
    expect(parseJson(text, 3)).toEqual({ reason, line, column })
  })
})

test('a million open brackets are refused at the bound and overflow nothing', () => {
  expect(parseJson('['.repeat(1_000_000), 64)).toMatchObject({ column: 65 })
  expect(parseJson(`${'['.repeat(64)}${']'.repeat(64)}`, 64)).toHaveProperty('value')
})
