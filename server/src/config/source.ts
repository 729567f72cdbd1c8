/**
 * One file as plain values, with the place of every value at hand for messages. References to the environment and to
 * files (`substitute`) are replaced here, where it is known in which line they stand.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Alias,
  type Pair,
  type ParsedNode,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { KeyPath, Place } from './issues.ts'
import { parseYamlTree, YamlFault, type YamlTree } from './parse-yaml.ts'
import { SubstitutionFault, type Substitute } from './substitute.ts'

/** Values that aliases may add to a document: a file of a few lines could otherwise stand for billions. */
const MOST_ALIASED_VALUES = 1_000_000

/** A problem found while values are made; `offset` is where. */
type Report = (offset: number, message: string, hint?: string) => void

export interface Source {
  readonly file: string
  readonly value: unknown
  /** The place of what `path` leads to from a value of this file, or of the last part of the path that exists. */
  place(from: unknown, path: KeyPath, at?: 'key' | 'value'): Place
  /** Whether the object or list was made from this file. */
  owns(value: object): boolean
  /** Whether the text under a key came from the environment or a file, and so must not be shown. */
  isSubstituted(parent: object, key: string | number): boolean
}

export interface SourceFault extends Place {
  readonly message: string
  readonly hint: string | undefined
}

type Collection = YAMLMap.Parsed | YAMLSeq.Parsed

/** Reads a text; what is wrong with it is reported and the rest is still read, as far as that makes sense. */
export function parseSource(
  file: string,
  text: string,
  report: (fault: SourceFault) => void,
  substitute?: Substitute,
): Source | undefined {
  try {
    const tree = parseYamlTree(text)
    const faultAt: Report = (offset, message, hint) => report({ file, ...tree.position(offset), message, hint })
    const reader = new ValueReader(tree, faultAt, substitute)
    return toSource(file, tree, reader, reader.read(tree.root))
  } catch (error) {
    if (!(error instanceof YamlFault)) throw error
    report({ file, line: error.line, column: error.column, message: error.message, hint: undefined })
    return undefined
  }
}

function toSource(file: string, tree: YamlTree, reader: ValueReader, value: unknown): Source {
  const start: Place = { file, ...tree.position(tree.root?.range[0] ?? 0) }
  return {
    file,
    value,
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
  if (isSeq(node)) return (node.items[Number(key)] as ParsedNode | undefined)?.range[0]
  const pair = node.items.find((each) => keyText(each) === key)
  const part = at === 'key' ? pair?.key : (pair?.value ?? pair?.key)
  return part?.range[0]
}

function keyText(pair: Pair<ParsedNode, ParsedNode | null>): string | undefined {
  return isScalar(pair.key) && pair.key.value !== null ? String(pair.key.value) : undefined
}

/** Makes values from nodes. An alias gives the same object as its anchor, so memory stays with the file's size. */
class ValueReader {
  readonly nodes = new Map<object, Collection>()
  readonly substituted = new Map<object, Set<string>>()
  private readonly tree: YamlTree
  private readonly report: Report
  private readonly substitute: Substitute | undefined
  private readonly anchors = new Map<ParsedNode, { value: unknown; size: number } | undefined>()
  /** Values made so far, those behind aliases counted each time. */
  private made = 0
  private aliased = 0

  constructor(tree: YamlTree, report: Report, substitute: Substitute | undefined) {
    this.tree = tree
    this.report = report
    this.substitute = substitute
  }

  read(node: ParsedNode | null): unknown {
    this.made++
    if (node === null) return null
    if (isAlias(node)) return this.readAlias(node)
    if (isScalar(node)) return node.value
    const anchored = node.anchor !== undefined
    const before = this.made
    if (anchored) this.anchors.set(node, undefined)
    const value = isMap(node) ? this.readMap(node) : this.readList(node)
    if (anchored) this.anchors.set(node, { value, size: this.made - before })
    return value
  }

  private readAlias(alias: Alias.Parsed): unknown {
    const target = alias.resolve(this.tree.document) as ParsedNode | undefined
    if (target === undefined) return null
    if (isScalar(target)) return target.value
    const known = this.anchors.get(target)
    if (known === undefined) {
      this.report(alias.range[0], `the alias *${alias.source} stands inside what it repeats`, 'Remove it.')
      return null
    }
    this.made += known.size
    this.aliased += known.size
    if (this.aliased > MOST_ALIASED_VALUES) {
      const { line, column } = this.tree.position(alias.range[0])
      throw new YamlFault(`repeats more than ${MOST_ALIASED_VALUES} values by aliases`, line, column)
    }
    return known.value
  }

  private readList(node: YAMLSeq.Parsed): unknown[] {
    const list: unknown[] = []
    this.nodes.set(list, node)
    node.items.forEach((item, index) => list.push(this.readInto(list, index, item as ParsedNode | null)))
    return list
  }

  private readMap(node: YAMLMap.Parsed): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    this.nodes.set(map, node)
    const merged: ParsedNode[] = []
    for (const pair of node.items) {
      const key = keyText(pair)
      if (key === undefined || key === '__proto__') {
        this.report(pair.key.range[0], 'this cannot be a key', 'Write a plain word.')
      } else if (key === '<<' && pair.value !== null) {
        merged.push(pair.value)
      } else if (Object.hasOwn(map, key)) {
        this.report(pair.key.range[0], `the key \`${key}\` stands here a second time`, 'Remove one of the two.')
      } else {
        map[key] = this.readInto(map, key, pair.value)
      }
    }
    for (const each of merged) this.merge(map, each)
    return map
  }

  /** `<<: *anchor`: keys that the map does not have itself. */
  private merge(map: Record<string, unknown>, node: ParsedNode): void {
    const value = this.read(node)
    for (const each of Array.isArray(value) ? value : [value]) {
      if (typeof each !== 'object' || each === null || Array.isArray(each)) {
        this.report(node.range[0], '`<<` takes an alias of a map', 'Write `<<: *name`.')
        continue
      }
      for (const [key, inner] of Object.entries(each)) if (!Object.hasOwn(map, key)) map[key] = inner
    }
  }

  private readInto(parent: object, key: string | number, node: ParsedNode | null): unknown {
    const value = this.read(node)
    if (typeof value !== 'string' || this.substitute === undefined || node === null) return value
    try {
      const text = this.substitute(value)
      if (text !== value) this.markSubstituted(parent, key)
      return text
    } catch (error) {
      if (!(error instanceof SubstitutionFault)) throw error
      this.report(node.range[0], error.message, error.hint)
      this.markSubstituted(parent, key)
      return value
    }
  }

  private markSubstituted(parent: object, key: string | number): void {
    const keys = this.substituted.get(parent)
    if (keys === undefined) this.substituted.set(parent, new Set([String(key)]))
    else keys.add(String(key))
  }
}
