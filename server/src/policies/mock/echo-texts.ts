import { isJsonObject, type JsonValue } from '../../kernel/json.ts'

/** Objects that wrap the one that was asked for are looked into so deep. */
const MAX_DEPTH = 2

/** The value with texts of the request in the properties of the same name, as numbers or truth values where those stand. */
export function echoTexts(value: JsonValue, texts: ReadonlyMap<string, string>, depth = 0): JsonValue {
  if (!isJsonObject(value) || depth > MAX_DEPTH) return value
  const echoed = Object.entries(value).map(([name, each]): [string, JsonValue] => {
    const text = texts.get(name)
    return [name, text === undefined ? echoTexts(each, texts, depth + 1) : toLike(text, each)]
  })
  return Object.fromEntries(echoed)
}

function toLike(text: string, value: JsonValue): JsonValue {
  if (typeof value === 'number') return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : value
  if (typeof value === 'boolean') return text === 'true' || (text === 'false' ? false : value)
  return typeof value === 'string' ? text : value
}
