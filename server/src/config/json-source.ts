/**
 * A file of JSON without references, such as an OpenAPI document of ten megabytes: read by the engine's own parser,
 * fifty times as fast as the tree that knows places. That tree is made when a place is asked for, so for messages only.
 */
import { MOST_LEVELS } from './parse-yaml.ts'
import type { Source } from './source.ts'

const KEYS = /"(?:[^"\\]|\\.)*"(\s*:)?/g

/** The values, or undefined when the text had better be read with care: it is wrong, too deep or repeats keys. */
export function parseJsonSource(
  file: string,
  text: string,
  readWithCare: () => Source | undefined,
): Source | undefined {
  const value = parseJson(text)
  if (value === undefined || countKeys(value) !== countWrittenKeys(text)) return undefined
  let careful: Source | undefined
  return {
    file,
    value,
    place(from, path, at) {
      careful ??= readWithCare()
      if (careful === undefined || from !== value) return { file, line: 1, column: 1 }
      return careful.place(careful.value, path, at)
    },
    owns: (each) => each === value,
    isSubstituted: () => false,
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The careful reader says what is wrong and where.
    return undefined
  }
}

/** How many keys the objects have; -1 when they nest too deeply or when one is better not used. */
function countKeys(root: unknown): number {
  let level = [root]
  let count = 0
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) return -1
    const next: unknown[] = []
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue
      if (!Array.isArray(value)) count += Object.keys(value).length
      if (Object.hasOwn(value, '__proto__')) return -1
      for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) next.push(inner)
    }
    level = next
  }
  return count
}

/** How many keys the text has: more than the values when one was written twice. */
function countWrittenKeys(text: string): number {
  let count = 0
  for (const [, colon] of text.matchAll(KEYS)) if (colon !== undefined) count++
  return count
}
