/**
 * Regular expressions of schemas as trees. The engine's own parser decides what is valid and what a character class
 * means; this one only finds the structure, so that `pattern-machine.ts` can match it in linear time.
 */

/** Whether a code point is one of those that a class, an escape or a character stands for. */
export type CharTest = (codePoint: number) => boolean

export type Pattern =
  | { readonly is: 'char'; readonly test: CharTest }
  | { readonly is: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly is: 'choice'; readonly options: readonly Pattern[] }
  | { readonly is: 'repeat'; readonly inner: Pattern; readonly min: number; readonly max: number }
  | { readonly is: 'edge'; readonly edge: 'start' | 'end' | 'word' | 'inside' }
  | { readonly is: 'look'; readonly inner: Pattern; readonly behind: boolean; readonly negative: boolean }

/** A pattern that is valid, but not one that can be matched in linear time. */
export class UnsupportedPattern extends Error {
  override readonly name = 'UnsupportedPattern'
}

/** Parses a pattern; throws a SyntaxError when it is none, an UnsupportedPattern when it needs more than linear time. */
export function parsePattern(source: string): { readonly pattern: Pattern; readonly native: RegExp } {
  const native = compileNative(source)
  return { pattern: new PatternParser(source, native.flags).parse(), native }
}

/** JSON Schema asks for the `u` flag (2020-12 §6.4); patterns that are only valid without it are common and accepted. */
function compileNative(source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch {
    // Without the flag the engine is more lenient; what is wrong in both ways is thrown by the second.
    return new RegExp(source)
  }
}

const QUANTIFIER = /(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/y
const GROUP = /\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?/y
// An escape that stands for one character, whatever its length; a pair of surrogates is one character, too.
const ESCAPE =
  /\\(?:u\{[^}]*\}|u[dD][89abAB][\dA-Fa-f]{2}\\u[dD][c-fC-F][\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|x[\dA-Fa-f]{2}|c[A-Za-z]|[pP]\{[^}]*\}|[^])/uy
const CLASS = /\[(?:[^\]\\]|\\[^])*\]/uy
const ASCII = 128

class PatternParser {
  private readonly source: string
  private readonly flags: string
  private at = 0

  constructor(source: string, flags: string) {
    this.source = source
    this.flags = flags
  }

  parse(): Pattern {
    return this.choice()
  }

  private choice(): Pattern {
    const options = [this.sequence()]
    while (this.source[this.at] === '|') {
      this.at++
      options.push(this.sequence())
    }
    return options.length === 1 && options[0] !== undefined ? options[0] : { is: 'choice', options }
  }

  private sequence(): Pattern {
    const parts: Pattern[] = []
    while (this.at < this.source.length && this.source[this.at] !== '|' && this.source[this.at] !== ')') {
      parts.push(this.repeated(this.atom()))
    }
    return { is: 'sequence', parts }
  }

  private repeated(inner: Pattern): Pattern {
    const [text, low, comma, high] = this.take(QUANTIFIER) ?? []
    if (text === undefined) return inner
    if (low === undefined)
      return { is: 'repeat', inner, min: text[0] === '+' ? 1 : 0, max: text[0] === '?' ? 1 : Infinity }
    const min = Number(low)
    if (comma === undefined) return { is: 'repeat', inner, min, max: min }
    return { is: 'repeat', inner, min, max: high === '' ? Infinity : Number(high) }
  }

  private atom(): Pattern {
    switch (this.source[this.at]) {
      case '^':
        return this.edge('start', 1)
      case '$':
        return this.edge('end', 1)
      case '(':
        return this.group()
      case '[':
        return this.nativeChar(this.take(CLASS)?.[0])
      case '.':
        this.at++
        return this.nativeChar('.')
      case '\\':
        return this.escape()
      default:
        return this.literal()
    }
  }

  private edge(edge: 'start' | 'end' | 'word' | 'inside', length: number): Pattern {
    this.at += length
    return { is: 'edge', edge }
  }

  private group(): Pattern {
    const opening = this.take(GROUP)?.[0] ?? ''
    if (opening === '(' && this.source[this.at] === '?') throw new UnsupportedPattern('flags inside a group')
    const inner = this.choice()
    this.at++
    const look = /^\(\?(<?)([=!])$/.exec(opening)
    if (look === null) return inner
    return { is: 'look', inner, behind: look[1] === '<', negative: look[2] === '!' }
  }

  private escape(): Pattern {
    const next = this.source[this.at + 1] ?? ''
    if (next === 'b') return this.edge('word', 2)
    if (next === 'B') return this.edge('inside', 2)
    if (/[1-9]/.test(next) || (next === 'k' && this.source[this.at + 2] === '<'))
      throw new UnsupportedPattern('a back reference')
    return this.nativeChar(this.take(ESCAPE)?.[0])
  }

  private literal(): Pattern {
    const wanted = this.source.codePointAt(this.at) ?? 0
    this.at += wanted > 0xffff ? 2 : 1
    return { is: 'char', test: (codePoint) => codePoint === wanted }
  }

  /** Lets the engine say which characters the text stands for; once and for all for those of ASCII. */
  private nativeChar(text: string | undefined): Pattern {
    if (text === undefined) throw new UnsupportedPattern('an unknown construct')
    const native = new RegExp(`^(?:${text})$`, this.flags)
    const ascii = Array.from({ length: ASCII }, (_, code) => native.test(String.fromCharCode(code)))
    return {
      is: 'char',
      test: (codePoint) =>
        codePoint < ASCII ? ascii[codePoint] === true : native.test(String.fromCodePoint(codePoint)),
    }
  }

  private take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.source)
    if (match === null) return undefined
    this.at = pattern.lastIndex
    return match
  }
}
