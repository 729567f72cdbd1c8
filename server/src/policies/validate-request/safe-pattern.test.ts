import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMachine, matches } from './pattern-machine.ts'
import { parsePattern } from './pattern-syntax.ts'
import { countNativeChars, PatternSet } from './safe-pattern.ts'
import { StepBudget, StepsExhausted } from './step-budget.ts'

/** Matches on our own machine, however short the text is. */
function matchesOnMachine(source: string, text: string): boolean {
  return matches(createMachine(parsePattern(source).pattern), text, new StepBudget(1_000_000))
}

const atoms = [
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '\\w',
  '\\d',
  '\\s',
  '\\u0061',
  '\\x62',
  '\\p{L}',
  '\\u{1F600}',
  '\\.',
  '😀',
]
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
    fc.tuple(fc.constantFrom(...atoms), fc.constantFrom(...quantifiers)).map((parts) => parts.join('')),
    fc.constantFrom(...edges),
    fc
      .tuple(fc.constantFrom('(', '(?:'), tie('pattern'), fc.constantFrom(...quantifiers))
      .map(([open, inner, count]) => `${open}${inner})${count}`),
    fc.tuple(fc.constantFrom('(?=', '(?!', '(?<=', '(?<!'), tie('pattern')).map(([open, inner]) => `${open}${inner})`),
  ),
})).pattern
const texts = fc
  .array(fc.constantFrom('a', 'b', 'c', '1', ' ', '\n', '_', '.', '😀', '\uD83D', 'é'))
  .map((parts) => parts.join(''))

test('the machine agrees with the engine on whatever pattern and text', () => {
  fc.assert(
    fc.property(sources, fc.array(texts, { minLength: 1, maxLength: 5 }), (source, samples) => {
      // Written so, because V8 14.6 finds no match of /b[^a]$/u in 'b😀'.
      const native = new RegExp(`^[^]*?(?:${source})`, 'u')
      for (const text of samples) expect(matchesOnMachine(source, text), text).toBe(native.test(text))
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['^[a-z0-9]+(?:-[a-z0-9]+)*$', ['a', 'a-b', 'abc-1-2'], ['', '-a', 'a--b', 'A']],
  ['^(?=.*[A-Z])(?=.*\\d).{8,}$', ['Passw0rds'], ['passw0rds', 'Password', 'Pass0']],
  ['^[\\w.+-]+@[\\w-]+\\.[\\w.-]+$', ['a.b@c.de'], ['a@b', '@b.c']],
  ['^\\d{3}-\\d{4}$', ['123-4567'], ['123-456', '1234567']],
  ['(?<![a-z])cat(?!s)', ['the cat', 'cat.'], ['cats', 'bobcat']],
  ['^[\\p{Lu}][\\p{L} ]{0,40}$', ['Ärger', 'Ω'], ['ärger', '1']],
  ['^\\_\\@[\\w\\-]$', ['_@a', '_@-'], ['_a']],
  ['^(?<year>\\d{4})-(?<month>\\d\\d)$', ['2026-01'], ['26-01']],
  ['', ['', 'x'], []],
])('%s matches as it is read', (source, yes, no) => {
  const pattern = new PatternSet(new StepBudget()).compile(source)
  for (const text of yes) expect([text, matchesOnMachine(source, text), pattern.test(text)]).toEqual([text, true, true])
  for (const text of no)
    expect([text, matchesOnMachine(source, text), pattern.test(text)]).toEqual([text, false, false])
})

test.each([
  '^(a+)+$',
  '^(a|a)*$',
  '^(a|aa)+$',
  '^(.*a){20}$',
  '(x+x+)+y',
  '^(?:[a-z]{1,30}){1,30}$',
  '^(?=(a+)+$)',
  'a+$',
  '^a*a*a*a*a*a*$',
])('%s takes a number of steps that grows with the length of the text, not faster', (source) => {
  const countSteps = (chars: number): number => {
    const budget = new StepBudget(100_000_000)
    matches(createMachine(parsePattern(source).pattern), `${'a'.repeat(chars)}!`, budget)
    return 100_000_000 - budget.stepsLeft
  }
  expect(countSteps(4000) / countSteps(2000)).toBeLessThan(2.1)
})

test.each([
  ['^(a+)+$', 4],
  ['(x+x+)+y', 4],
  ['^(a|a)*$', 16],
])('the engine sees %s only with texts of at most %d characters', (source, chars) => {
  expect(countNativeChars(parsePattern(source).pattern, true)).toBeLessThanOrEqual(chars)
})

test.each([
  ['^[0-9a-f]{8}-[0-9a-f]{4}$', 65_536],
  ['^[A-Z]{2}\\d{4}$', 65_536],
  ['^[a-z]{1,63}$', 65_536],
  ['^(?:red|green|blue)$', 65_536],
  ['^[a-z]+$', 64],
])('the plain pattern %s stays with the engine up to %d characters', (source, chars) => {
  expect(countNativeChars(parsePattern(source).pattern, true)).toBe(chars)
})

test('all texts of a request share one budget, and the next request has a new one', () => {
  const budget = new StepBudget()
  const pattern = new PatternSet(budget).compile('^(?:[a-z]{1,60}){1,60}$')
  const text = 'a'.repeat(100)
  expect(() => {
    for (let count = 0; count < 20; count++) pattern.test(text)
  }).toThrow(StepsExhausted)
  budget.renew(0)
  expect(pattern.test(text)).toBe(true)
})

test.each([
  ['(', SyntaxError],
  ['[z-a]', SyntaxError],
  ['(a)\\1', 'a back reference'],
  ['(?<x>a)\\k<x>', 'a back reference'],
  ['(?i:a)', 'flags inside a group'],
  ['(?:a{1000}){1000}', 'repetitions that are too large'],
])('%s is refused', (source, reason) => {
  expect(() => new PatternSet(new StepBudget()).compile(source)).toThrow(reason)
})
