/** Words for texts that may say anything, and what a property's name lets expect. */
import type { Random } from './random.ts'

const WORDS = ['amber', 'birch', 'cedar', 'delta', 'ember', 'fjord', 'grove', 'haven', 'inlet', 'juniper'] as const
const MORE_WORDS = ['kelp', 'lagoon', 'meadow', 'north', 'ocean', 'pebble', 'quarry', 'river', 'stone', 'tide'] as const

export function toWord(random: Random): string {
  return random.pick([...WORDS, ...MORE_WORDS])
}

/** By what the name of a property ends with, in lower case and without separators. */
const expectations: readonly (readonly [RegExp, (random: Random) => string])[] = [
  [/email(address)?$/, (random) => `${toWord(random)}@example.com`],
  [/(url|uri|href|link|website|homepage)$/, (random) => `https://example.com/${toWord(random)}`],
  [/(phone|phonenumber|mobile)$/, (random) => `+1555010${random.whole(1000, 9999)}`],
  [/(firstname|givenname)$/, (random) => random.pick(['Ada', 'Alan', 'Edsger', 'Grace', 'Katherine', 'Tim'])],
  [/(lastname|familyname|surname)$/, (random) => random.pick(['Hopper', 'Johnson', 'Lee', 'Lovelace', 'Turing'])],
  [/country(code)?$/, (random) => random.pick(['DE', 'FR', 'JP', 'NZ', 'US'])],
  [/currency(code)?$/, (random) => random.pick(['CHF', 'EUR', 'GBP', 'JPY', 'USD'])],
  [/city$/, (random) => random.pick(['Bern', 'Lisbon', 'Osaka', 'Oslo', 'Wellington'])],
  [/(createdat|updatedat|timestamp|datetime)$/, (random) => `2026-01-0${random.whole(1, 9)}T12:00:00Z`],
  [/(description|comment|message|summary|text)$/, (random) => toSentence(random)],
  [/(name|title|label)$/, (random) => toWord(random).replace(/^./, (letter) => letter.toUpperCase())],
  [/id$/, (random) => `${toWord(random)}-${random.whole(100, 999)}`],
]

function toSentence(random: Random): string {
  return `The ${toWord(random)} by the ${toWord(random)}.`
}

/** A text for a property of that name. */
export function toExpectedText(name: string, random: Random): string {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  const found = expectations.find(([pattern]) => pattern.test(plain))
  return found === undefined ? toWord(random) : found[1](random)
}
