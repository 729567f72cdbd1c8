/**
 * Reads a regular expression of ECMA-262 as far as texts that match it can be made: look-around and word boundaries are
 * passed over, so whoever makes a text from the result has to check it.
 */
export type PatternNode =
  | { readonly kind: 'chars'; readonly ranges: readonly CharRange[]; readonly negated: boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly least: number; readonly most: number }

/** Code points from the first to the last. */
export type CharRange = readonly [first: number, last: number]

const DIGIT: CharRange[] = [[0x30, 0x39]]
const WORD: CharRange[] = [[0x61, 0x7a], [0x41, 0x5a], ...DIGIT, [0x5f, 0x5f]]
const SPACE: CharRange[] = [[0x20, 0x20]]
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 }
/** Nothing is as deep as this that was written by hand. */
const MAX_DEPTH = 50

/** Undefined when it cannot be read. Without `unicode`, the flag `u`, there are no properties of characters. */
export function parsePattern(source: string, unicode: boolean): PatternNode | undefined {
  const parser = new PatternParser(source, unicode)
  const node = parser.readChoice(0)
  return parser.isDone ? node : undefined
}

class PatternParser {
  private readonly source: string
  private readonly unicode: boolean
  private at = 0

  constructor(source: string, unicode: boolean) {
    this.source = source
    this.unicode = unicode
  }

  get isDone(): boolean {
    return this.at >= this.source.length
  }

  readChoice(depth: number): PatternNode {
    const options = [this.readSequence(depth)]
    while (this.take('|')) options.push(this.readSequence(depth))
    const [only] = options
    return options.length === 1 && only !== undefined ? only : { kind: 'choice', options }
  }

  private readSequence(depth: number): PatternNode {
    const parts: PatternNode[] = []
    while (!this.isDone && this.peek() !== '|' && this.peek() !== ')') {
      const part = this.readAtom(depth)
      const repeated = this.readRepeat(part ?? { kind: 'sequence', parts: [] })
      if (part !== undefined) parts.push(repeated)
    }
    return { kind: 'sequence', parts }
  }

  /** Undefined for what matches no character of its own. */
  private readAtom(depth: number): PatternNode | undefined {
    if (this.take('^') || this.take('$')) return undefined
    if (this.take('(')) return this.readGroup(depth + 1)
    if (this.take('[')) return this.readClass()
    if (this.take('.')) return { kind: 'chars', ranges: [[10, 10]], negated: true }
    if (this.take('\\')) return this.readEscape()
    return toChars([this.nextPoint()])
  }

  private readGroup(depth: number): PatternNode | undefined {
    const opening = /^\?(?::|<?[=!]|<\w+>|[a-z-]+:)/.exec(this.source.slice(this.at, this.at + 100))?.[0] ?? ''
    this.at += opening.length
    // Deeper than anybody writes: read no further, which leaves the parser undone.
    if (depth > MAX_DEPTH) return undefined
    const inner = this.readChoice(depth)
    this.take(')')
    return /[=!]$/.test(opening) ? undefined : inner
  }

  private readClass(): PatternNode {
    const negated = this.take('^')
    const ranges: CharRange[] = []
    while (!this.isDone && !this.take(']')) {
      const first = this.readMember()
      const [from] = first
      const isRange = this.peek() === '-' && this.source[this.at + 1] !== ']' && first.length === 1
      if (!isRange || from === undefined || from[0] !== from[1]) {
        ranges.push(...first)
        continue
      }
      this.at++
      const [to] = this.readMember()
      ranges.push([from[0], Math.max(from[0], to?.[1] ?? from[0])])
    }
    return { kind: 'chars', ranges, negated }
  }

  private readMember(): readonly CharRange[] {
    if (!this.take('\\')) return toRanges([this.nextPoint()])
    if (this.take('b')) return toRanges([8])
    const escaped = this.readEscape()
    return escaped?.kind !== 'chars' ? [] : escaped.negated ? complementOf(escaped.ranges) : escaped.ranges
  }

  private readEscape(): PatternNode | undefined {
    const letter = this.source[this.at++] ?? ''
    const lower = letter.toLowerCase()
    const set = lower === 'd' ? DIGIT : lower === 'w' ? WORD : lower === 's' ? SPACE : undefined
    if (set !== undefined) return { kind: 'chars', ranges: set, negated: letter !== lower }
    if (lower === 'p' && this.unicode) return this.readProperty(letter === 'P')
    const control = CONTROLS[letter]
    if (control !== undefined) return toChars([control])
    if (letter === 'u' || letter === 'x') return toChars([this.readCode(letter)])
    if (letter === 'c') return toChars([this.nextPoint() % 32])
    // Boundaries and references to groups: what is made is checked anyway.
    if (/[bB1-9k]/.test(letter)) return undefined
    this.at--
    return toChars([this.nextPoint()])
  }

  /** Letters stand for letters of any script, digits for numbers. */
  private readProperty(negated: boolean): PatternNode {
    const name = this.read(/^\{[^}]*\}/).slice(1, -1)
    if (/^N|Number|Digit/.test(name)) return { kind: 'chars', ranges: DIGIT, negated }
    if (/Lu|Uppercase/.test(name)) return { kind: 'chars', ranges: [[0x41, 0x5a]], negated }
    if (/^P|Punct/.test(name)) return { kind: 'chars', ranges: [[0x2d, 0x2e]], negated }
    if (/^Z|Space/.test(name)) return { kind: 'chars', ranges: SPACE, negated }
    return { kind: 'chars', ranges: [[0x61, 0x7a]], negated }
  }

  private readCode(letter: string): number {
    const digits = this.read(/^(?:\{[\da-f]+\}|[\da-f]{2,4})/i)
    if (!digits.startsWith('{') && letter === 'x') this.at -= Math.max(0, digits.length - 2)
    const used = digits.startsWith('{') ? digits.slice(1, -1) : digits.slice(0, letter === 'x' ? 2 : 4)
    const code = parseInt(used, 16)
    return code <= 0x10ffff ? code : letter.charCodeAt(0)
  }

  private readRepeat(part: PatternNode): PatternNode {
    const bounds = this.readBounds()
    if (bounds === undefined) return part
    this.take('?')
    const [least, most] = bounds
    return this.readRepeat({ kind: 'repeat', part, least, most: Math.max(least, most) })
  }

  private readBounds(): readonly [number, number] | undefined {
    if (this.take('*')) return [0, Infinity]
    if (this.take('+')) return [1, Infinity]
    if (this.take('?')) return [0, 1]
    const found = this.read(/^\{\d{1,9}(?:,\d{0,9})?\}/)
    if (found === '') return undefined
    const [least = '', most] = found.slice(1, -1).split(',')
    return [Number(least), most === undefined ? Number(least) : most === '' ? Infinity : Number(most)]
  }

  private peek(): string | undefined {
    return this.source[this.at]
  }

  private take(text: string): boolean {
    const isThere = this.source.startsWith(text, this.at)
    if (isThere) this.at += text.length
    return isThere
  }

  private read(pattern: RegExp): string {
    const found = pattern.exec(this.source.slice(this.at, this.at + 100))?.[0] ?? ''
    this.at += found.length
    return found
  }

  private nextPoint(): number {
    const point = this.source.codePointAt(this.at) ?? 0x20
    this.at += point > 0xffff ? 2 : 1
    return point
  }
}

function toRanges(points: readonly number[]): CharRange[] {
  return points.map((point) => [point, point])
}

function toChars(points: readonly number[]): PatternNode {
  return { kind: 'chars', ranges: toRanges(points), negated: false }
}

/** What is outside the ranges, of the printable characters of ASCII. */
export function complementOf(ranges: readonly CharRange[]): CharRange[] {
  const all = Array.from({ length: 0x7f - 0x20 }, (_, index) => 0x20 + index)
  return toRanges(all.filter((point) => !ranges.some(([first, last]) => first <= point && point <= last)))
}
