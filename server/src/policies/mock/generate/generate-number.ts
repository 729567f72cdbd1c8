import type { Facts } from './merge-schemas.ts'
import type { Random } from './random.ts'
import { isMultiple } from './schema-matcher.ts'

/** Width of the range where a schema leaves one side open. */
const OPEN_RANGE = 1000
const TRIES = 20

/** A number between the bounds of the schema; undefined when there is none. */
export function generateNumber(facts: Facts, isInteger: boolean, random: Random): number | undefined {
  const [least, most] = toRange(facts)
  const { multipleOf, format } = facts
  const isWhole = isInteger || format === 'int32' || format === 'int64'
  const step = typeof multipleOf === 'number' && multipleOf > 0 ? multipleOf : isWhole ? 1 : undefined
  if (step === undefined) return generateFraction(least, most, facts, random)
  const [first, last] = [Math.ceil(least / step - 1e-9), Math.floor(most / step + 1e-9)]
  if (first > last) return undefined
  for (let tries = 0; tries < TRIES; tries++) {
    const count =
      tries < TRIES / 2 ? random.whole(first, Math.min(last, first + OPEN_RANGE)) : first + tries - TRIES / 2
    // Twelve digits are those that a decimal step has; the rest is what binary fractions add.
    const value = Number((count * step).toPrecision(12))
    if (isAllowed(value, facts) && isMultiple(value, step) && (!isWhole || Number.isInteger(value))) return value
  }
  return undefined
}

function generateFraction(least: number, most: number, facts: Facts, random: Random): number | undefined {
  for (const digits of [2, 6, 15]) {
    for (let tries = 0; tries < TRIES; tries++) {
      const value = Number((least + random.next() * (most - least)).toFixed(digits))
      if (isAllowed(value, facts)) return value
    }
  }
  return isAllowed(least, facts) ? least : undefined
}

function toRange(facts: Facts): [number, number] {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = facts
  const lower = [minimum, exclusiveMinimum].filter((each) => typeof each === 'number')
  const upper = [maximum, exclusiveMaximum].filter((each) => typeof each === 'number')
  const [least, most] = [Math.max(...lower), Math.min(...upper)]
  if (lower.length > 0) return [least, Math.min(most, least + Math.max(OPEN_RANGE, Math.abs(least)))]
  if (upper.length === 0) return [1, OPEN_RANGE]
  return [most > 0 ? 0 : most - Math.max(OPEN_RANGE, Math.abs(most)), most]
}

function isAllowed(value: number, facts: Facts): boolean {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = facts
  return (
    (typeof minimum !== 'number' || value >= minimum) &&
    (typeof maximum !== 'number' || value <= maximum) &&
    (typeof exclusiveMinimum !== 'number' || value > exclusiveMinimum) &&
    (typeof exclusiveMaximum !== 'number' || value < exclusiveMaximum)
  )
}
