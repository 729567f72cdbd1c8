import { isJsonList, type JsonValue } from '../../../kernel/json.ts'
import { generateFormat, hasFormat } from './formats.ts'
import { generateFromPattern, matchesPattern } from './generate-pattern.ts'
import type { Facts } from './merge-schemas.ts'
import type { Random } from './random.ts'
import { toExpectedText, toWord } from './words.ts'

const FORMAT_TRIES = 4
/** The longest text that is made because a schema asks for no less. */
const MAX_CHARS = 65_536

/** A text for a property of that name; undefined when none was found that fulfils the schema. */
export function generateText(facts: Facts, name: string, random: Random): string | undefined {
  const { contentEncoding } = facts
  const patterns = toPatterns(facts['pattern'])
  const format = typeof facts['format'] === 'string' ? facts['format'] : undefined
  const [least, most] = [toCount(facts['minLength'], 0), toCount(facts['maxLength'], Infinity)]
  if (least > most || least > MAX_CHARS) return undefined
  const isLong = (text: string): boolean => text.length >= least && text.length <= most
  const fits = (text: string): boolean =>
    isLong(text) &&
    patterns.every((pattern) => matchesPattern(pattern, text) !== false) &&
    (format === undefined || hasFormat(format, text))
  const made = format === undefined ? undefined : generateFormat(format, random)
  if (made !== undefined) {
    for (let tries = 0; tries < FORMAT_TRIES; tries++) {
      const text = tries === 0 ? made : (generateFormat(format ?? '', random) ?? made)
      if (fits(text)) return text
    }
  }
  const matching = generateMatching(patterns, random, fits)
  if (matching !== undefined) return matching
  const plain =
    contentEncoding === 'base64' ? Buffer.from(toWord(random)).toString('base64') : toExpectedText(name, random)
  return [plain, made ?? plain].map((text) => toLength(text, least, most, random)).find(fits)
}

/** From one of the patterns, or from all of them one after the other: the first may say the beginning, the next the end. */
function generateMatching(
  patterns: readonly string[],
  random: Random,
  fits: (text: string) => boolean,
): string | undefined {
  for (const pattern of patterns) {
    const text = generateFromPattern(pattern, random, fits)
    if (text !== undefined) return text
  }
  if (patterns.length < 2) return undefined
  const pieces = patterns.map((pattern) => generateFromPattern(pattern, random, () => true) ?? '')
  return [pieces, pieces.toReversed()].map((all) => all.join('')).find(fits)
}

function toPatterns(value: JsonValue | undefined): string[] {
  return (isJsonList(value) ? value : [value]).filter((each) => typeof each === 'string')
}

/** The text with words behind it until it is long enough, or cut where it has to end. */
function toLength(text: string, least: number, most: number, random: Random): string {
  let long = text
  while (long.length < least) long += ` ${toWord(random)}`
  // No blank at either end, which readers may trim.
  return long.slice(0, Math.max(least, Math.min(most, text.length, MAX_CHARS))).replace(/ $/, 'a')
}

function toCount(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback
}
