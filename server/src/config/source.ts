/**
 * One file as plain values, with the place of every value at hand for messages. References to the environment and to
 * files (`substitute`) are replaced here, where it is known in which line they stand.
 */
import { isSeq } from 'yaml'
import type { KeyPath, Place } from './issues.ts'
import { parseJsonSource } from './json-source.ts'
import { parseYamlTree, YamlFault, type TextMatter, type YamlTree } from './parse-yaml.ts'
import type { Substitute } from './substitute.ts'
import { toKey, ValueReader, type Collection, type ValueFault } from './value-reader.ts'

export interface Source {
  readonly file: string
  readonly value: unknown
  /** Whether aliases let one object stand in several places. */
  readonly hasAliases: boolean
  /** The place of what `path` leads to from a value of this file, or of the last part of the path that exists. */
  place(from: unknown, path: KeyPath, at?: 'key' | 'value'): Place
  /** Whether the object or list was made from this file. */
  owns(value: object): boolean
  /** Whether the text under a key came from the environment or a file, and so must not be shown. */
  isSubstituted(parent: object, key: string | number): boolean
}

export interface SourceFault extends Place {
  /** The keys that lead there; empty for a fault of the text itself. */
  readonly path: KeyPath
  readonly matter: TextMatter
  readonly message: string
  readonly hint: string | undefined
}

/** Reads a text; what is wrong with it is reported and the rest is still read, as far as that makes sense. */
export function parseSource(
  file: string,
  text: string,
  report: (fault: SourceFault) => void,
  substitute?: Substitute,
): Source | undefined {
  const mayBeJson = substitute === undefined && (file.endsWith('.json') || /^\s*\{/.test(text))
  const source = mayBeJson ? parseJsonSource(file, text, report) : 'no JSON'
  return source === 'no JSON' ? parseYamlSource(file, text, report, substitute) : source
}

function parseYamlSource(
  file: string,
  text: string,
  report: (fault: SourceFault) => void,
  substitute: Substitute | undefined,
): Source | undefined {
  try {
    const tree = parseYamlTree(text)
    const tell = ({ offset, path, matter, message, hint }: ValueFault): void => {
      report({ file, ...tree.position(offset), path, matter, message, hint })
    }
    const reader = new ValueReader(tree, tell, substitute)
    return toSource(file, tree, reader, reader.read(tree.root))
  } catch (error) {
    if (!(error instanceof YamlFault)) throw error
    const { line, column, path, matter, message } = error
    report({ file, line, column, path, matter, message, hint: undefined })
    return undefined
  }
}

function toSource(file: string, tree: YamlTree, reader: ValueReader, value: unknown): Source {
  const start: Place = { file, ...tree.position(tree.root?.range[0] ?? 0) }
  return {
    file,
    value,
    hasAliases: reader.hasAliases,
    place(from, path, at = 'value') {
      const [container, rest] = deepest(from, path, reader.nodes)
      const node = container === undefined ? undefined : reader.nodes.get(container)
      if (node === undefined) return start
      const offset = offsetOf(node, rest, at) ?? node.range[0]
      return { file, ...tree.position(offset) }
    },
    owns: (each) => reader.nodes.has(each),
    isSubstituted: (parent, key) => reader.substituted.get(parent)?.has(String(key)) ?? false,
  }
}

/** Walks as far as the path leads through known objects: the last one that leads on, and the key to look for in it. */
function deepest(
  value: unknown,
  path: KeyPath,
  nodes: ReadonlyMap<object, Collection>,
): [object | undefined, string | number | undefined] {
  let at: unknown = value
  let container: object | undefined
  let key: string | number | undefined
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !nodes.has(at)) break
    container = at
    key = step
    at = Object.hasOwn(at, step) ? Reflect.get(at, step) : undefined
  }
  return path.length === 0 && typeof value === 'object' && value !== null ? [value, undefined] : [container, key]
}

function offsetOf(node: Collection, key: string | number | undefined, at: 'key' | 'value'): number | undefined {
  if (key === undefined) return undefined
  if (isSeq(node)) return node.items[Number(key)]?.range[0]
  const pair = node.items.find((each) => toKey(each) === key)
  const part = at === 'key' ? pair?.key : (pair?.value ?? pair?.key)
  return part?.range[0]
}
