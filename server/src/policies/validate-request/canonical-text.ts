/** Texts that are the same for two values exactly when JSON Schema calls them equal: the order of members does not count. */
import type { JsonValue } from '../../kernel/json.ts'
import { isList, isObject } from './json-shape.ts'

/** Told of the characters that are written, since whoever sends a value says how many that are. */
export type Pay = (chars: number) => void

/** JSON with the members of objects in the order of their names. */
export function toCanonicalText(value: JsonValue, pay: Pay): string {
  if (isList(value)) return `[${value.map((each) => toCanonicalText(each, pay)).join(',')}]`
  if (!isObject(value)) return toPaidText(value, pay)
  const members = Object.keys(value).toSorted()
  const texts = members.map((name) => `${toPaidText(name, pay)}:${toCanonicalText(value[name] ?? null, pay)}`)
  return `{${texts.join(',')}}`
}

function toPaidText(value: JsonValue, pay: Pay): string {
  const text = JSON.stringify(value)
  pay(text.length)
  return text
}
