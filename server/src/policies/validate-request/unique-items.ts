import type { JsonValue } from '../../kernel/json.ts'
import { toCanonicalText, type Pay } from './canonical-text.ts'

/** Whether two items are equal, in time linear in what they hold; that is paid, since arrays in arrays are written out again. */
export function hasTwins(items: readonly JsonValue[], pay: Pay): boolean {
  const seen = new Set<JsonValue>()
  for (const item of items) {
    // The text of an object cannot be that of a string among the items, because a string's begins with a quote.
    const key =
      typeof item === 'object' && item !== null
        ? toCanonicalText(item, pay)
        : typeof item === 'string'
          ? `"${item}`
          : item
    if (seen.has(key)) return true
    seen.add(key)
  }
  return false
}
