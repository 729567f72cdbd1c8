/** What differs between two documents, key by key, so that a person can judge a change before it is made. */
import { isJsonObject, type JsonValue } from '../../kernel/json.ts'
import { toCanonicalJson } from '../../config/canonical-json.ts'

export interface DocumentChange {
  /** JSON pointer (RFC 6901). */
  readonly pointer: string
  /** Absent: it was not there. */
  readonly before?: JsonValue
  /** Absent: it is gone. */
  readonly after?: JsonValue
}

/** The deepest places that differ, in the order of their pointers; no more than `most`. */
export function listChanges(before: JsonValue | undefined, after: JsonValue | undefined, most = 200): DocumentChange[] {
  const changes: DocumentChange[] = []
  walk(before, after, '', (change) => {
    if (changes.length < most) changes.push(change)
  })
  return changes
}

function walk(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  pointer: string,
  report: (change: DocumentChange) => void,
): void {
  if (isJsonObject(before) && isJsonObject(after)) {
    for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
      walk(before[key], after[key], `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, report)
    }
  } else if (Array.isArray(before) && Array.isArray(after)) {
    const longest = Math.max(before.length, after.length)
    for (let at = 0; at < longest; at++) {
      // Elements of a list of JSON are JSON.
      walk(before[at] as JsonValue | undefined, after[at] as JsonValue | undefined, `${pointer}/${at}`, report)
    }
  } else if (!isSame(before, after)) {
    report({ pointer, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) })
  }
}

/** Whether two documents say the same, in whatever order their keys stand. */
export function isSame(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return toCanonicalJson(a) === toCanonicalJson(b)
}
