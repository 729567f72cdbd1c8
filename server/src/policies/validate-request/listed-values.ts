import type { JsonValue } from '../../kernel/json.ts'
import { toCanonicalText, type Pay } from './canonical-text.ts'

/** Tells whether a value is one of those of a list, in time that does not grow with the list. */
export function createListing(values: readonly JsonValue[], pay: Pay): (value: JsonValue) => boolean {
  const plain = new Set(values.filter(isPlain))
  // The list is the operator's: whoever asks for the first time does not pay for it.
  const texts = new Set(
    values.filter((value) => !isPlain(value)).map((value) => toCanonicalText(value, () => undefined)),
  )
  return (value) => (isPlain(value) ? plain.has(value) : texts.size > 0 && texts.has(toCanonicalText(value, pay)))
}

function isPlain(value: JsonValue): boolean {
  return typeof value !== 'object' || value === null
}
