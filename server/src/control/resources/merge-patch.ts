/** JSON Merge Patch (RFC 7396): an object says which keys change, `null` takes one away, everything else stays. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'

/** The media type of such a patch. */
export const MERGE_PATCH = 'application/merge-patch+json'

/** The algorithm of RFC 7396 §2; neither argument is changed. */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch
  // Keys of a caller become keys of a map first: `__proto__` is a key like any other.
  const merged = new Map<string, JsonValue>(isJsonObject(target) ? Object.entries(target) : [])
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, mergePatch(merged.get(key), value))
  }
  const result: JsonObject = Object.fromEntries(merged)
  return result
}
