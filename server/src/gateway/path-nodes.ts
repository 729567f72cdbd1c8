/**
 * The nodes of a tree of paths, as numbers in one piece of memory. Among thousands of routes, whatever a look-up touches
 * is in no cache: so the nodes of one route lie side by side, each with its text, and a segment is compared where it
 * stands in the request's path. Maps and objects touch four times as much, and a map makes the engine keep a copy of
 * every segment that anybody asks for.
 */

/** A node is the place of its first word. The root is nobody's child, so its number also says that there is no node. */
export const ROOT = 0
export const NO_NODE = 0

/** Numbers that the tree sets on a node: for paths that end here, for those that go on, and for segments with patterns. */
export type Mark = typeof EXACT | typeof PREFIX | typeof PATTERNS
export const EXACT = 4
export const PREFIX = 5
export const PATTERNS = 6
/** What a mark is until it is set. */
export const NO_MARK = 0

/** Words of a node; after them comes the text of its segment, two units in a word. */
const PARENT = 0
const LENGTH = 1
const PARAMETER = 2
/** The one child with a literal segment, or SEVERAL, which are found by their hash. */
const LITERAL = 3
const HEAD = 7

const SEVERAL = -1

export class PathNodes {
  private words = new Int32Array(64)
  private units = new Uint16Array(this.words.buffer)
  private usedWords = HEAD
  /** Nodes that are one of several, by the hash of parent and segment; at least half of the slots have none. */
  private slots = new Int32Array(16)
  private usedSlots = 0

  copy(): PathNodes {
    const copy = new PathNodes()
    copy.words = this.words.slice()
    copy.units = new Uint16Array(copy.words.buffer)
    copy.usedWords = this.usedWords
    copy.slots = this.slots.slice()
    copy.usedSlots = this.usedSlots
    return copy
  }

  /** The child of a node for the literal segment that is `path` from `from` to before `to`. */
  literal(parent: number, path: string, from: number, to: number): number {
    const only = this.words[parent + LITERAL] ?? NO_NODE
    if (only === SEVERAL) return this.find(parent, path, from, to)
    return only !== NO_NODE && this.isText(only, path, from, to) ? only : NO_NODE
  }

  /** The child of a node for a parameter. */
  parameter(parent: number): number {
    return this.words[parent + PARAMETER] ?? NO_NODE
  }

  mark(node: number, kind: Mark): number {
    return this.words[node + kind] ?? NO_MARK
  }

  setMark(node: number, kind: Mark, mark: number): void {
    this.words[node + kind] = mark
  }

  /** The same child as `literal`, made when there is none. */
  addLiteral(parent: number, segment: string): number {
    const known = this.literal(parent, segment, 0, segment.length)
    if (known !== NO_NODE) return known
    const node = this.add(parent, segment)
    const { words } = this
    const only = words[parent + LITERAL] ?? NO_NODE
    words[parent + LITERAL] = only === NO_NODE ? node : SEVERAL
    if (only !== NO_NODE && only !== SEVERAL) this.enter(only)
    if (only !== NO_NODE) this.enter(node)
    return node
  }

  /** The same child as `parameter`, made when there is none. */
  addParameter(parent: number): number {
    const known = this.parameter(parent)
    if (known !== NO_NODE) return known
    const node = this.addPattern(parent)
    this.words[parent + PARAMETER] = node
    return node
  }

  /** A child that is only found by what a mark leads to. */
  addPattern(parent: number): number {
    return this.add(parent, '')
  }

  private find(parent: number, path: string, from: number, to: number): number {
    const { slots, words } = this
    const mask = slots.length - 1
    for (let slot = hashOf(parent, path, from, to) & mask; ; slot = (slot + 1) & mask) {
      const node = slots[slot] ?? NO_NODE
      if (node === NO_NODE || (words[node + PARENT] === parent && this.isText(node, path, from, to))) return node
    }
  }

  private isText(node: number, path: string, from: number, to: number): boolean {
    const { units } = this
    if (this.words[node + LENGTH] !== to - from) return false
    const start = 2 * (node + HEAD) - from
    for (let i = from; i < to; i++) if (units[start + i] !== path.charCodeAt(i)) return false
    return true
  }

  private textOf(node: number): string {
    const start = 2 * (node + HEAD)
    return String.fromCharCode(...this.units.subarray(start, start + (this.words[node + LENGTH] ?? 0)))
  }

  private add(parent: number, text: string): number {
    const node = this.usedWords
    this.usedWords += HEAD + Math.ceil(text.length / 2)
    while (this.words.length < this.usedWords) this.growWords()
    this.words[node + PARENT] = parent
    this.words[node + LENGTH] = text.length
    for (let i = 0; i < text.length; i++) this.units[2 * (node + HEAD) + i] = text.charCodeAt(i)
    return node
  }

  private enter(node: number): void {
    this.usedSlots++
    if (2 * this.usedSlots > this.slots.length) {
      const entered = this.slots.filter((each) => each !== NO_NODE)
      this.slots = new Int32Array(2 * this.slots.length)
      for (const each of entered) this.place(each)
    }
    this.place(node)
  }

  private place(node: number): void {
    const { slots } = this
    const text = this.textOf(node)
    const mask = slots.length - 1
    let slot = hashOf(this.words[node + PARENT] ?? ROOT, text, 0, text.length) & mask
    while (slots[slot] !== NO_NODE) slot = (slot + 1) & mask
    slots[slot] = node
  }

  private growWords(): void {
    const words = new Int32Array(2 * this.words.length)
    words.set(this.words)
    this.words = words
    this.units = new Uint16Array(words.buffer)
  }
}

/** FNV-1a over UTF-16 units. Segments come from the configuration, so nobody outside can choose which ones collide. */
function hashOf(parent: number, text: string, from: number, to: number): number {
  let hash = parent ^ 0x811c9dc5
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash ^ (hash >>> 15)
}
