import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SegmentPattern } from '../gateway/segment-pattern.ts'
import { couldShareSegment } from './pattern-overlap.ts'

describe('whether a segment can fit two templates', () => {
  test.each([
    ['{a}.json', 'report-{b}', true],
    ['{a}.json', '{b}.html', false],
    ['{a}.json', '{b}.{c}', true],
    ['{a}:cancel', '{b}:start', false],
    ['a{x}b', 'a{x}c', false],
    ['a{x}', 'b{x}', false],
    ['a{x}', '{x}a', true],
    ['ab{x}', '{x}ba', true],
    ['{x}ab{y}', '{x}ba{y}', true],
    ["f(a='{x}')", "f(b='{x}')", false],
    ['{a}-{b}', '{a}.{b}', true],
    ['{a}', 'x{b}', true],
  ])('%s and %s: %s', (left, right, shared) => {
    expect(couldShareSegment(left, right)).toBe(shared)
    expect(couldShareSegment(right, left)).toBe(shared)
  })

  test('two templates that both match some segment are never said to be apart', () => {
    const text = fc.stringMatching(/^[ab]{1,2}$/)
    const edge = fc.option(text, { nil: '' })
    const template = fc
      .tuple(edge, fc.array(text, { maxLength: 2 }), edge)
      .map(([first, between, last]) => [first, ...between, last].join('{p}'))
    const segment = fc.stringMatching(/^[abc]{1,7}$/)
    const fits = (each: string, given: string): boolean => new SegmentPattern(each).match(given, [])
    fc.assert(
      fc.property(template, template, segment, (left, right, given) => {
        if (fits(left, given) && fits(right, given)) expect(couldShareSegment(left, right)).toBe(true)
      }),
      { numRuns: 20_000 },
    )
  })

  test('and two that are said to overlap have a segment in common', () => {
    const text = fc.constantFrom('a', 'b')
    const edge = fc.option(text, { nil: '' })
    const template = fc
      .tuple(edge, fc.array(text, { maxLength: 1 }), edge)
      .map(([first, between, last]) => [first, ...between, last].join('{p}'))
    // Each takes five characters at least; nothing that both take needs more than both together.
    const segments = listSegments(10)
    fc.assert(
      fc.property(template, template, (left, right) => {
        const [a, b] = [new SegmentPattern(left), new SegmentPattern(right)]
        const isShared = segments.some((each) => a.match(each, []) && b.match(each, []))
        expect(couldShareSegment(left, right)).toBe(isShared)
      }),
      { numRuns: 500 },
    )
  })
})

/** All texts of `a` and `b` up to a length. */
function listSegments(mostChars: number): string[] {
  const all = ['a', 'b']
  for (let at = 0; at < all.length; at++) {
    const each = all[at] ?? ''
    if (each.length < mostChars) all.push(`${each}a`, `${each}b`)
  }
  return all
}
