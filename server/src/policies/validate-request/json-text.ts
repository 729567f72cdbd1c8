/**
 * JSON (RFC 8259) as all parsers read it alike: no name twice in one object, of which some take the first and others the
 * last; nothing after the value; not nested deeper than a bound. `JSON.parse` makes the value; this looks at the text first,
 * because it alone knows names and places.
 */
import type { JsonValue } from '../../kernel/json.ts'
import { NameNode, NamePath } from './name-tree.ts'

/** Why a text is refused; line and column count from 1. */
export interface JsonFlaw {
  readonly reason: string
  readonly line: number
  readonly column: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SIMPLE_ESCAPES = new Set(['"', '\\', '/', 'b', 'f', 'n', 'r', 't'])
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y

/** What a text may hold, whatever its length. */
export interface JsonBounds {
  readonly maxDepth: number
  readonly maxValues: number
  readonly maxNames: number
}

/** The value of a text, or why it has none: it is no JSON, or holds more than the bounds allow. */
export function parseJson(
  text: string,
  bounds: JsonBounds,
): { readonly value: JsonValue } | { readonly excess: string } | JsonFlaw {
  const scanner = new Scanner(text, bounds)
  const reason = scanner.scan()
  if (reason === undefined) return { value: JSON.parse(text) as JsonValue }
  if (scanner.isExcess) return { excess: reason }
  const before = text.slice(0, scanner.at).split('\n')
  return { reason, line: before.length, column: (before.at(-1) ?? '').length + 1 }
}

/** Goes through the text once, without recursion. Methods give a reason when `at` stands on something wrong. */
class Scanner {
  at = 0
  /** The reason is not a flaw of the text but a bound. */
  isExcess = false
  private readonly text: string
  private readonly bounds: JsonBounds
  /** Objects and arrays that are open; an array has no names. */
  private readonly open: (NamePath | undefined)[] = []
  private readonly root = new NameNode('', undefined, true)
  private values = 0
  private names = 0

  constructor(text: string, bounds: JsonBounds) {
    this.text = text
    this.bounds = bounds
  }

  scan(): string | undefined {
    for (;;) {
      const reason = this.value()
      if (reason !== undefined) return reason
      // `value` leaves containers open; every one that ends here is closed, and then comes a comma or the end.
      for (;;) {
        this.skipSpace()
        if (this.open.length === 0) return this.at < this.text.length ? 'the text goes on behind its value' : undefined
        const next = this.text[this.at]
        const closing = this.open.at(-1) === undefined ? ']' : '}'
        if (next === closing) {
          this.at++
          this.open.pop()
          continue
        }
        if (next !== ',')
          return this.at < this.text.length ? `a comma or ${closing} is missing` : 'the text ends too early'
        this.at++
        break
      }
      const unnamed = this.name()
      if (unnamed !== undefined) return unnamed
    }
  }

  /** Reads a value; of a container that is not empty, everything up to the first value that is none. */
  private value(): string | undefined {
    for (;;) {
      this.skipSpace()
      if (++this.values > this.bounds.maxValues) return this.exceeds(`more than ${this.bounds.maxValues} values`)
      const first = this.text[this.at]
      if (first === '"') return this.string()
      if (first !== '{' && first !== '[') return this.scalar()
      if (this.open.length >= this.bounds.maxDepth) return `it is nested more than ${this.bounds.maxDepth} deep`
      this.at++
      this.skipSpace()
      this.open.push(first === '{' ? new NamePath(this.root) : undefined)
      if (this.text[this.at] === (first === '{' ? '}' : ']')) return undefined
      const reason = this.name()
      if (reason !== undefined) return reason
    }
  }

  /** Reads the name of an object's member and its colon; in an array there is none to read. */
  private name(): string | undefined {
    const path = this.open.at(-1)
    if (path === undefined) return undefined
    this.skipSpace()
    if (!this.followLikely(path)) {
      const reason = this.follow(path)
      if (reason !== undefined) return reason
    }
    this.skipSpace()
    if (this.text[this.at] !== ':') return 'a colon is missing'
    this.at++
    return undefined
  }

  /** Whether the object goes on like the last one that came here, which costs next to nothing. */
  private followLikely(path: NamePath): boolean {
    const { likely } = path.node
    if (likely?.isPlain !== true || this.text.charCodeAt(this.at) !== QUOTE) return false
    const { name } = likely
    const end = this.at + 1 + name.length
    if (this.text.charCodeAt(end) !== QUOTE || !this.text.startsWith(name, this.at + 1)) return false
    path.node = likely
    this.at = end + 1
    return true
  }

  private follow(path: NamePath): string | undefined {
    const start = this.at
    if (this.text[start] !== '"')
      return start < this.text.length ? 'a name in quotes is missing' : 'the text ends too early'
    const reason = this.string()
    if (reason !== undefined) return reason
    const raw = this.text.slice(start + 1, this.at - 1)
    const isPlain = !raw.includes('\\')
    const name = isPlain ? raw : String(JSON.parse(`"${raw}"`))
    const known = path.node.find(name)
    if (known !== undefined) {
      path.node = known
      return undefined
    }
    if (path.has(name)) {
      this.at = start
      return 'a name stands twice in one object'
    }
    if (++this.names > this.bounds.maxNames) {
      return this.exceeds(`more than ${this.bounds.maxNames} names; those of objects that are alike count once`)
    }
    path.add(name, isPlain)
    return undefined
  }

  private exceeds(what: string): string {
    this.isExcess = true
    return `it has ${what}`
  }

  private string(): string | undefined {
    for (this.at++; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at)
      if (code === QUOTE) {
        this.at++
        return undefined
      }
      if (code < 0x20) return 'a control character stands in a string'
      if (code !== BACKSLASH) continue
      const escaped = this.text[this.at + 1] ?? ''
      if (escaped === 'u' && /^[\dA-Fa-f]{4}$/.test(this.text.slice(this.at + 2, this.at + 6))) this.at += 5
      else if (SIMPLE_ESCAPES.has(escaped)) this.at++
      else return 'an escape is not known'
    }
    return 'the text ends too early'
  }

  private scalar(): string | undefined {
    for (const pattern of [NUMBER, WORD]) {
      pattern.lastIndex = this.at
      if (!pattern.test(this.text)) continue
      this.at = pattern.lastIndex
      return undefined
    }
    return this.at < this.text.length ? 'a value is missing' : 'the text ends too early'
  }

  private skipSpace(): void {
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    }
  }
}
