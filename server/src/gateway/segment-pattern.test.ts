import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SegmentPattern } from './segment-pattern.ts'

/** The values of the parameters, or undefined when the segment does not match. */
function match(template: string, segment: string): string[] | undefined {
  const values: string[] = []
  return new SegmentPattern(template).match(segment, values) ? values : undefined
}

describe('a segment of text and parameters', () => {
  test.each([
    ['{name}.json', 'a.json', ['a']],
    ['{name}.json', 'a.b.json', ['a.b']],
    ['{name}.json', '.json', undefined],
    ['{name}.json', 'a.jsonx', undefined],
    ['v{version}', 'v2', ['2']],
    ['v{version}', 'v', undefined],
    ['v{version}', 'w2', undefined],
    ['{id}:cancel', 'a:b:cancel', ['a:b']],
    ['{name}.{extension}', 'a.tar.gz', ['a.tar', 'gz']],
    ['{name}.{extension}', '.gz', undefined],
    ['{name}.{extension}', 'gz.', undefined],
    ['{name}.{extension}', 'a..b', ['a.', 'b']],
    ['{from}..{to}', 'main..next', ['main', 'next']],
    ['@{lat},{lon}', '@1,2', ['1', '2']],
    ["f(a={a},b='{b}')", "f(a=1,b='x')", ['1', 'x']],
    ["f(a={a},b='{b}')", "f(a=,b='x')", undefined],
    ['{a}-{b}-{c}', '1-2-3-4', ['1-2', '3', '4']],
    ['{a}-{b}-{c}', '---5', undefined],
    ['{a}aa{b}', 'aaaa', ['a', 'a']],
    ['{a}aa{b}', 'aaa', undefined],
  ])('%s takes %s as %j', (template, segment, values) => expect(match(template, segment)).toEqual(values))

  test('never cuts an encoded character in two', () => {
    expect(match('{a}2{b}', 'x%20y')).toBeUndefined()
    expect(match('{a}2{b}', 'x2%20y')).toEqual(['x', '%20y'])
    expect(match('{a}0', 'x%20')).toBeUndefined()
    expect(match('{a}%20{b}', 'x%20%20y')).toEqual(['x%20', 'y'])
  })

  test('matches exactly what a regular expression of its parts matches, with the same values', () => {
    const piece = fc.constantFrom('a', 'b', '.', '-', '2', '0', '%20', '%2E', 'aa')
    const text = fc.array(piece, { minLength: 1, maxLength: 2 }).map((parts) => parts.join(''))
    const edge = fc.option(text, { nil: '' })
    const template = fc.tuple(edge, fc.array(text, { maxLength: 2 }), edge)
    const segment = fc.array(piece, { maxLength: 9 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(template, segment, ([first, between, last], given) => {
        const quote = (each: string): string => each.replaceAll(/[.-]/g, String.raw`\$&`)
        const parameter = '((?:%[0-9A-F]{2}|[^%])+)'
        const source = [first, ...between, last].map(quote).join(parameter)
        // Texts in turn with parameters: one more of the first.
        const pattern = [first, ...between, last].join('{p}')
        expect(match(pattern, given)).toEqual(new RegExp(`^${source}$`).exec(given)?.slice(1))
      }),
      { numRuns: 20_000 },
    )
  })
})

test('more text is more specific, and names do not count', () => {
  expect(new SegmentPattern('{a}.{b}')).toMatchObject({ shape: '{}.{}', textChars: 1 })
  expect(new SegmentPattern('report-{id}.json').textChars).toBe(12)
})
