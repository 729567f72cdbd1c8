import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePattern } from './linear-pattern.ts'
import { PatternError } from './pattern-error.ts'

const atoms =
  'a b . [ab] [^a] \\w \\W \\d \\s \\S [\\s-] [^\\S] [\\w.-] [b[] [(?] [\\b] \\u0061 \\x62 \\u00e9 \\p{L} \\P{Lu}'
const special = '\\u{1F600} \\uD83D\\uDE00 [\\uD83D\\uDE00-\\uD83D\\uDE4F] \\. \\/ / \\cJ \\v \\0 [] [^] 😀'
const edges = ['^', '$', '\\b', '\\B']
const quantifiers = ['', '*', '+', '?', '{2}', '{0,2}', '{1,}', '*?', '{1,2}?']
const sources = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'small' },
    fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `${a}|${b}`),
  ),
  part: fc.oneof(
    { depthSize: 'small' },
    fc
      .tuple(fc.constantFrom(...atoms.split(' '), ...special.split(' ')), fc.constantFrom(...quantifiers))
      .map((parts) => parts.join('')),
    fc.constantFrom(...edges),
    fc
      .tuple(fc.constantFrom('(', '(?:', '(?<näme>'), tie('pattern'), fc.constantFrom(...quantifiers))
      .map(([open, inner, count]) => `${open}${inner})${count}`),
  ),
})).pattern
const characters = 'a b c A 1 _ . - [ ( ? / é ſ 😀 \uD83D \uDE00 \ufeff \u2028'.split(' ')
/** Short, because V8 takes time that is exponential in their length where quantifiers are nested. */
const texts = fc
  .array(fc.constantFrom(...characters, ' ', '\n', '\r', '\v', '\b', '\0', '\u00a0'), { maxLength: 7 })
  .map((parts) => parts.join(''))

/** Whether V8 matches, which it says wrongly at times: 14.6 finds no match of /b[^a]$/u in 'b😀' from the first character on. */
function testNative(source: string, text: string): boolean {
  return new RegExp(`^[^]*?(?:${source})`, 'u').test(text)
}

/** Asked backwards, which is slow, V8 finds the empty match of /[^]*?a^|/u, and others that it misses forwards. */
function testNativeBackwards(source: string, text: string): boolean {
  return new RegExp(`(?<=(?:${source}))`, 'u').test(text)
}

function compiles(source: string): boolean {
  try {
    new RegExp(source, 'u')
    return true
  } catch {
    // The same name in two groups, for instance.
    return false
  }
}

describe('a pattern of ECMA-262', () => {
  test('matches the texts that V8 matches, whatever the pattern and the text', () => {
    fc.assert(
      fc.property(sources.filter(compiles), fc.array(texts, { minLength: 1, maxLength: 5 }), (source, samples) => {
        const pattern = compilePattern(source, 'ecma')
        for (const text of samples) {
          const isFound = pattern.test(text)
          if (isFound !== testNative(source, text)) {
            expect(isFound, JSON.stringify(text)).toBe(testNativeBackwards(source, text))
          }
        }
      }),
      { numRuns: 3000 },
    )
  })

  test.each([
    ['^[a-z]{1,63}$', 'abc-1 '],
    ['^[\\w.+-]+@[\\w-]+\\.[\\w.-]+$', 'a.@-é'],
    ['^[^@\\s]{1,64}@[^@\\s]{1,255}$', 'a@ \u00a0'],
    ['^[0-9a-f]{2}-[0-9a-f]{1}$', '0f-F'],
    ['^\\+?[1-9]\\d{1,14}$', '+01٣'],
    ['^\\d{1,2}-\\d{1,2}$', '12-'],
    ['^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(?:-[0-9a-z]+(?:\\.[0-9a-z]+)*)?$', '01.-a'],
    ['^[a-z0-9]+(?:-[a-z0-9]+)*$', 'a1-A'],
    ['^[\\p{Lu}][\\p{L}\\p{M} ]{0,40}$', 'ÄßΩ e\u0301😀'],
    ['^\\p{Script=Greek}+$', 'Ωaβ'],
    ['^\\S+(?: \\S+)*$', 'a \u3000\ufeff'],
    ['^.{2,4}$', 'a\n\r😀\u2029'],
    ['[^\\x00-\\x7F]', 'aé😀\u007f\u0080'],
  ])('%s matches what it matches in V8', (source, alphabet) => {
    const pattern = compilePattern(source, 'ecma')
    const text = fc.array(fc.constantFrom(...Array.from(alphabet)), { maxLength: 8 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, (sample) => {
        expect(pattern.test(sample)).toBe(testNative(source, sample))
      }),
      { numRuns: 500 },
    )
  })

  test.each(['\\p{L}', '\\p{Nd}', '\\p{Alphabetic}', '\\s', '\\S', '.', '\\w', '[^\\W]'])(
    '%s stands for the characters that it stands for in V8, of all that there are',
    (source) => {
      const pattern = compilePattern(`(?:${source})`, 'ecma')
      const native = new RegExp(source, 'u')
      const wrong: number[] = []
      for (let code = 0; code <= 0x10ffff; code++) {
        const text = String.fromCodePoint(code)
        if (pattern.test(text) !== native.test(text)) wrong.push(code)
      }
      expect(wrong).toEqual([])
    },
  )

  test.each([
    ['^[\\w-.]+$', 'a-.', 'a!'],
    ['^\\_\\@\\-$', '_@-', '_@'],
    ['^[\\s-x]+$', ' -x', 'y'],
    ['^a{,3}$', 'a{,3}', 'aa'],
    ['^]}$', ']}', ']'],
  ])('%s, which V8 takes only without the u flag, is read as V8 reads it', (source, yes, no) => {
    const pattern = compilePattern(source, 'ecma')
    expect([pattern.test(yes), pattern.test(no)]).toEqual([true, false])
  })

  test('that varies in length at its ends alone may count as far as V8 can', () => {
    const pattern = compilePattern('^-?[\\w ]{1,2048}$', 'ecma')
    expect([2048, 2049].map((chars) => pattern.test('a'.repeat(chars)))).toEqual([true, false])
    expect(pattern.instructions).toBe(1)
  })

  test.each([
    ['(', 'Invalid regular expression: /(/: Unterminated group'],
    ['[z-a]', 'Invalid regular expression'],
    ['(?=a)', 'look-around cannot be matched in linear time'],
    ['(?!a)', 'look-around'],
    ['(?<=a)', 'look-around'],
    ['(?<!a)', 'look-around'],
    ['(a)\\1', 'a back reference cannot be matched in linear time'],
    ['(?<x>a)\\k<x>', 'a back reference'],
    ['(?i:a)', 'flags inside a pattern'],
    ['\\Aa\\z', '\\A has no meaning'],
    ['\\p{Letter}', 'RE2 cannot match it: invalid character class range: `\\p{Letter}`'],
    ['(?:a{1000}){1000}', 'RE2 cannot match it: invalid repeat count'],
    ['a+{1,1001}', 'Invalid regular expression'],
    ['(?:a{100}){10}b?', 'its repetitions make 1004 instructions of it, more than 1000'],
  ])('%s is refused with the reason', (source, reason) => {
    expect(() => compilePattern(source, 'ecma')).toThrow(PatternError)
    expect(() => compilePattern(source, 'ecma')).toThrow(reason)
  })
})

describe('a pattern of RE2', () => {
  test.each([
    ['^[a-z]{1,63}$', 'abc', 'ABC'],
    ['(?i)^ab+$', 'ABB', 'b'],
    ['\\A[[:alpha:]]+\\z', 'ab', 'a1'],
    ['(?P<year>\\d{4})-\\pL', '2026-x', '2026-1'],
  ])('%s is read as CEL wants it', (source, yes, no) => {
    const pattern = compilePattern(source, 're2')
    expect([pattern.test(yes), pattern.test(no)]).toEqual([true, false])
  })

  test.each(['(', '(?=a)', '(?<!a)', '(a)\\1', '(?:[a-z]{1,63}){3}'])('%s is refused', (source) => {
    expect(() => compilePattern(source, 're2')).toThrow(PatternError)
  })
})

test.each([
  '^(a+)+$',
  '^(a|a)*$',
  '^(a|aa)+$',
  '^(.*a){20}$',
  '(x+x+)+y',
  '^(?:[a-z]{1,20}){1,20}$',
  'a+$',
  '^a*a*a*a*a*a*$',
  '(?:a|b)*a(?:a|b){90}c$',
])('%s is done at once with a text of a hundred thousand characters that V8 would never be done with', (source) => {
  expect(compilePattern(source, 'ecma').test(`${'a'.repeat(100_000)}!`)).toBe(false)
})
