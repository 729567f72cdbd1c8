/**
 * A file of JSON without references, such as an OpenAPI document of tens of megabytes: read by the engine's own parser, fifty
 * times as fast as the tree that knows places. Places are looked for in the text when a message needs them.
 */
import type { KeyPath, Place } from './issues.ts'
import { countNames, findOffset, findRepeatedName, toPosition } from './json-scan.ts'
import { MOST_LEVELS } from './parse-yaml.ts'
import type { Source, SourceFault } from './source.ts'

/** The values; undefined after a report that they cannot be used; `no JSON` when the text had better be read with care. */
export function parseJsonSource(
  file: string,
  text: string,
  report: (fault: SourceFault) => void,
): Source | undefined | 'no JSON' {
  const value = parseJson(text)
  if (value === undefined) return 'no JSON'
  const placeOf = (path: KeyPath, at?: 'key' | 'value'): Place => ({
    file,
    ...toPosition(text, findOffset(text, path, at ?? 'value')),
  })
  const shape = measure(value)
  if ('path' in shape) {
    report({ ...placeOf(shape.path, 'key'), ...shape })
    return undefined
  }
  const repeated = shape.names === countNames(text) ? undefined : findRepeatedName(text)
  if (repeated !== undefined) {
    const { path, offset } = repeated
    const message = `the key \`${String(path.at(-1))}\` stands here a second time`
    report({ file, ...toPosition(text, offset), path, matter: 'keys', message, hint: 'Remove one of the two.' })
  }
  return toSource(file, value, placeOf)
}

/** Values that came out of JSON somewhere else, and stand in no line. */
export function toJsonSource(file: string, value: unknown, report: (fault: SourceFault) => void): Source | undefined {
  const place = { file, line: 1, column: 1 }
  const shape = measure(value)
  if (!('path' in shape)) return toSource(file, value, () => place)
  report({ ...place, ...shape })
  return undefined
}

function toSource(file: string, value: unknown, placeOf: (path: KeyPath, at?: 'key' | 'value') => Place): Source {
  return {
    file,
    value,
    hasAliases: false,
    place: (from, path, at) => (from === value ? placeOf(path, at) : { file, line: 1, column: 1 }),
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

type Flaw = Pick<SourceFault, 'path' | 'matter' | 'message' | 'hint'>

/** How many names the objects have, or where they nest too deeply or have one that is better not used. */
function measure(root: unknown): { readonly names: number } | Flaw {
  let level = [root]
  let names = 0
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) {
      const path = pathTo(root, new Set(level))
      return { path, matter: 'nesting', message: `nests deeper than ${MOST_LEVELS} levels`, hint: undefined }
    }
    const next: unknown[] = []
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue
      if (!Array.isArray(value)) names += Object.keys(value).length
      if (Object.hasOwn(value, '__proto__')) {
        const path = [...pathTo(root, new Set([value])), '__proto__']
        return { path, matter: 'keys', message: 'this cannot be a key', hint: 'Write a plain word.' }
      }
      for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) next.push(inner)
    }
    level = next
  }
  return { names }
}

/** The way to one of the objects; JSON has no circles, and no object stands in two places. */
function pathTo(root: unknown, wanted: ReadonlySet<unknown>): KeyPath {
  const open: { value: unknown; path: KeyPath }[] = [{ value: root, path: [] }]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, path } = at
    if (wanted.has(value)) return path
    if (typeof value !== 'object' || value === null) continue
    const isList = Array.isArray(value)
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === 'object' && inner !== null)
        open.push({ value: inner, path: [...path, isList ? Number(key) : key] })
    }
  }
  return []
}
