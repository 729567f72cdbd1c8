/** Looking at JSON whose shape is not known. */
import type { JsonObject, JsonValue } from '../../kernel/json.ts'

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** A key as a step of a JSON pointer (RFC 6901 §3). */
export function toStep(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
