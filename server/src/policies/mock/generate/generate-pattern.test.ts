import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { generateFromPattern, matchesPattern } from './generate-pattern.ts'
import { Random } from './random.ts'

const any = (): boolean => true

test.each([
  '',
  '^$',
  'a',
  '^[a-z0-9-]{1,63}$',
  '^[^/?#]+$',
  '^arn[\\/\\:\\-\\_\\.a-zA-Z0-9]+$',
  '^arn:aws(-[\\w]+)*:[a-z0-9-]*:[0-9]{12}:(?:table|index)/.+$',
  '^(\\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$',
  '^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$',
  '^\\S+@\\S+\\.\\S+$',
  '^(?!-)[a-z-]+(?<!-)$',
  '^(?<year>\\d{4})$',
  '^\\p{L}+ \\p{N}$',
  '^\\u0041\\x42\\t$',
  '^[\\u{61}-\\u{7a}]+$',
  '^[\\w.%+-]+$',
  '^[\\s\\S]{3}$',
  '^[^\\x00-\\x1f]{2,5}$',
  '^(a|b|)c?$',
  '^((25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.|$)){4}$',
  '^([+-]?\\d+(\\.\\d+)?)([eE][+-]?\\d+)?$',
  'x*',
  '^\\p{Print}+$',
  '^.{100}$',
  '^#([A-Fa-f0-9]{6}|[A-Fa-f0-9]{3})$',
])('a text is made that matches %s', (source) => {
  for (let seed = 0; seed < 20; seed++) {
    const text = generateFromPattern(source, new Random(seed), any)
    if (text === undefined) throw new Error(`nothing was made for the seed ${seed}`)
    expect(new RegExp(source, /\\p\{(?!Print)|\\u\{/.test(source) ? 'u' : '').test(text), JSON.stringify(text)).toBe(
      true,
    )
  }
})

describe('a text', () => {
  test('is as long as it is asked to be, where the pattern allows it', () => {
    const make = (source: string, least: number, most: number): string | undefined =>
      generateFromPattern(source, new Random(1), (text) => text.length >= least && text.length <= most)
    expect(make('^[a-z]+$', 200, 1000)?.length).toBeGreaterThanOrEqual(200)
    expect(make('^[a-z]*$', 0, 0)).toBe('')
    expect(make('^[a-z]{3}$', 4, 9)).toBeUndefined()
  })

  test('is the same for the same seed', () => {
    const make = (): string | undefined => generateFromPattern('^[a-z]{20}$', new Random(7), any)
    expect(make()).toBe(make())
  })

  test('is not made of what is no pattern, of one that nothing matches, and of one that is nested too deep', () => {
    const none = ['(', ')', 'a)b', '[[(', '(?i)a', '^[]a]', `${'('.repeat(99)}a${')'.repeat(99)}`]
    expect(none.map((each) => generateFromPattern(each, new Random(1), any))).toEqual(none.map(() => undefined))
  })

  test('ends also where repetitions multiply, whatever stands in the pattern', () => {
    expect(generateFromPattern('((((a{1000}){1000}){1000}){1000})', new Random(1), any)?.length ?? 0).toBeLessThan(
      10_000,
    )
    expect(generateFromPattern('^(a+)+$', new Random(1), any)).toMatch(/^a+$/)
    const piece = fc.constantFrom(
      'a',
      '[a-c]',
      '\\d',
      '(',
      ')',
      '|',
      '*',
      '+?',
      '{2,5}',
      '{3}',
      '.',
      '^',
      '$',
      '\\',
      '[^',
      ']',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const source = pieces.join('')
        const text = generateFromPattern(source, new Random(1), any)
        expect(text === undefined || matchesPattern(source, text) !== false).toBe(true)
      }),
    )
  })
})
