import type { JsonValue } from '../../kernel/json.ts'
import { isList, isObject } from './json-shape.ts'

/** Whether two items are equal, in time linear in what they hold. */
export function hasTwins(items: readonly JsonValue[]): boolean {
  const seen = new Set<JsonValue>()
  for (const item of items) {
    // The text of an object cannot be that of a string among the items, because a string's begins with a quote.
    const key =
      typeof item === 'object' && item !== null ? toCanonicalText(item) : typeof item === 'string' ? `"${item}` : item
    if (seen.has(key)) return true
    seen.add(key)
  }
  return false
}

/** JSON with the members of objects in the order of their names. */
function toCanonicalText(value: JsonValue): string {
  if (isList(value)) return `[${value.map(toCanonicalText).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value)
  const members = Object.keys(value).toSorted()
  return `{${members.map((name) => `${JSON.stringify(name)}:${toCanonicalText(value[name] ?? null)}`).join(',')}}`
}
