/**
 * Makes plain values from the nodes of a YAML tree, in one pass and in bounds. An alias gives the same object as its
 * anchor, so memory stays with the size of the file; how much aliases would amount to is counted nevertheless.
 */
import { isAlias, isMap, isScalar, type Alias, type Pair, type ParsedNode, type YAMLMap, type YAMLSeq } from 'yaml'
import type { KeyPath } from './issues.ts'
import { MOST_LEVELS, YamlFault, type TextMatter, type YamlTree } from './parse-yaml.ts'
import { SubstitutionFault, type Substitute } from './substitute.ts'

/** Values that aliases may add to a document: a file of a few lines could otherwise stand for billions. */
const MOST_ALIASED_VALUES = 1_000_000

/** A problem found while values are made; `offset` is where, and `path` leads there. */
export interface ValueFault {
  readonly offset: number
  readonly path: KeyPath
  readonly matter: TextMatter
  readonly message: string
  readonly hint?: string | undefined
}

export type Collection = YAMLMap.Parsed | YAMLSeq.Parsed

interface Anchored {
  readonly value: unknown
  /** Values in it, itself included. */
  readonly size: number
  /** Levels of nesting in it. */
  readonly height: number
}

export class ValueReader {
  /** The node that an object or list was made from. */
  readonly nodes = new Map<object, Collection>()
  /** Keys whose text came from the environment or a file. */
  readonly substituted = new Map<object, Set<string>>()
  private readonly tree: YamlTree
  private readonly report: (fault: ValueFault) => void
  private readonly substitute: Substitute | undefined
  /** By name; the latest of a name counts, and undefined stands for one that is still being read. */
  private readonly anchors = new Map<string, Anchored | undefined>()
  /** The keys that lead to what is being read. */
  private readonly path: (string | number)[] = []
  private made = 0
  private aliased = 0
  private level = 0
  private deepest = 0

  constructor(tree: YamlTree, report: (fault: ValueFault) => void, substitute: Substitute | undefined) {
    this.tree = tree
    this.report = report
    this.substitute = substitute
  }

  /** Whether something was repeated by an alias. */
  get hasAliases(): boolean {
    return this.aliased > 0
  }

  read(node: ParsedNode | null): unknown {
    this.made++
    if (node === null) return null
    if (isAlias(node)) return this.readAlias(node)
    if (node.anchor === undefined) return this.readNode(node)
    const { made, deepest } = this
    this.anchors.set(node.anchor, undefined)
    this.deepest = this.level
    const value = this.readNode(node)
    this.anchors.set(node.anchor, { value, size: this.made - made + 1, height: this.deepest - this.level })
    this.deepest = Math.max(deepest, this.deepest)
    return value
  }

  private readNode(node: Exclude<ParsedNode, Alias.Parsed>): unknown {
    if (isScalar(node)) return node.value
    this.enter(1, node)
    const value = isMap(node) ? this.readMap(node) : this.readList(node)
    this.level--
    return value
  }

  private enter(levels: number, node: ParsedNode): void {
    this.level += levels
    this.deepest = Math.max(this.deepest, this.level)
    if (this.level > MOST_LEVELS) this.fail(node, 'nesting', `nests deeper than ${MOST_LEVELS} levels`)
  }

  private readAlias(alias: Alias.Parsed): unknown {
    const known = this.anchors.get(alias.source)
    if (known === undefined) {
      const isOpen = this.anchors.has(alias.source)
      const message = isOpen ? 'stands inside what it repeats' : 'repeats nothing: its anchor is not above it'
      this.tell('aliases', alias.range[0], `the alias *${alias.source} ${message}`, 'Remove it, or mend its name.')
      return null
    }
    this.made += known.size
    this.aliased += known.size
    if (this.aliased > MOST_ALIASED_VALUES)
      this.fail(alias, 'aliases', `repeats more than ${MOST_ALIASED_VALUES} values by aliases`)
    this.enter(known.height, alias)
    this.level -= known.height
    return known.value
  }

  private readList(node: YAMLSeq.Parsed): unknown[] {
    const list: unknown[] = []
    this.nodes.set(list, node)
    node.items.forEach((item, index) => list.push(this.readInto(list, index, item)))
    return list
  }

  private readMap(node: YAMLMap.Parsed): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    this.nodes.set(map, node)
    const merged: ParsedNode[] = []
    for (const pair of node.items) {
      const key = toKey(pair)
      const offset = pair.key?.range[0] ?? node.range[0]
      if (key === undefined || key === '__proto__')
        this.tell('keys', offset, 'this cannot be a key', 'Write a plain word.')
      else if (key === '<<' && pair.value !== null) merged.push(pair.value)
      else if (Object.hasOwn(map, key)) {
        this.tell('keys', offset, `the key \`${key}\` stands here a second time`, 'Remove one of the two.', key)
      } else map[key] = this.readInto(map, key, pair.value)
    }
    for (const each of merged) this.merge(map, each)
    return map
  }

  /** `<<: *anchor`: keys that the map does not have itself. */
  private merge(map: Record<string, unknown>, node: ParsedNode): void {
    const value = this.read(node)
    for (const each of Array.isArray(value) ? value : [value]) {
      if (typeof each !== 'object' || each === null || Array.isArray(each)) {
        this.tell('aliases', node.range[0], '`<<` takes an alias of a map', 'Write `<<: *name`.')
        continue
      }
      for (const [key, inner] of Object.entries(each)) if (!Object.hasOwn(map, key)) map[key] = inner
    }
  }

  private readInto(parent: object, key: string | number, node: ParsedNode | null): unknown {
    this.path.push(key)
    const value = this.read(node)
    this.path.pop()
    if (typeof value !== 'string' || this.substitute === undefined || node === null) return value
    try {
      const text = this.substitute(value)
      if (text !== value) this.markSubstituted(parent, key)
      return text
    } catch (error) {
      if (!(error instanceof SubstitutionFault)) throw error
      this.tell('substitution', node.range[0], error.message, error.hint, key)
      return value
    }
  }

  private markSubstituted(parent: object, key: string | number): void {
    const keys = this.substituted.get(parent)
    if (keys === undefined) this.substituted.set(parent, new Set([String(key)]))
    else keys.add(String(key))
  }

  /** `below` is the key inside what is being read. */
  private tell(
    matter: TextMatter,
    offset: number,
    message: string,
    hint?: string,
    ...below: (string | number)[]
  ): void {
    this.report({ offset, path: [...this.path, ...below], matter, message, hint })
  }

  private fail(node: ParsedNode, matter: TextMatter, message: string): never {
    const { line, column } = this.tree.position(node.range[0])
    throw new YamlFault(matter, message, line, column, [...this.path])
  }
}

/** The text of a key; undefined for one that is a list, a map or nothing. */
export function toKey(pair: Pair<ParsedNode, ParsedNode | null>): string | undefined {
  const key: unknown = isScalar(pair.key) ? pair.key.value : undefined
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean' ? String(key) : undefined
}
