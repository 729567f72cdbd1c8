import type { JsonValue } from '../../kernel/json.ts'
import { isList, isObject } from './json-shape.ts'
import type { StepBudget } from './step-budget.ts'

/** Writing a character costs about as much as running a pattern of this size over it. */
const INSTRUCTIONS = 32

/** Whether two items are equal, in time linear in what they hold; that is paid, since arrays in arrays are written out again. */
export function hasTwins(items: readonly JsonValue[], budget: StepBudget): boolean {
  const seen = new Set<JsonValue>()
  for (const item of items) {
    // The text of an object cannot be that of a string among the items, because a string's begins with a quote.
    const key =
      typeof item === 'object' && item !== null
        ? toCanonicalText(item, budget)
        : typeof item === 'string'
          ? `"${item}`
          : item
    if (seen.has(key)) return true
    seen.add(key)
  }
  return false
}

/** JSON with the members of objects in the order of their names. */
function toCanonicalText(value: JsonValue, budget: StepBudget): string {
  if (isList(value)) return `[${value.map((each) => toCanonicalText(each, budget)).join(',')}]`
  if (!isObject(value)) return toPaidText(value, budget)
  const members = Object.keys(value).toSorted()
  const texts = members.map((name) => `${toPaidText(name, budget)}:${toCanonicalText(value[name] ?? null, budget)}`)
  return `{${texts.join(',')}}`
}

function toPaidText(value: JsonValue, budget: StepBudget): string {
  const text = JSON.stringify(value)
  budget.spendOnText(text.length, INSTRUCTIONS)
  return text
}
