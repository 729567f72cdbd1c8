/** Patterns of ECMA-262 in the syntax of RE2, where that reads the same characters in another way. */
import { PatternError } from './pattern-error.ts'

const PAIR = String.raw`\\u[dD][89abAB][\dA-Fa-f]{2}\\u[dD][c-fC-F][\dA-Fa-f]{2}`
const PROPERTY = String.raw`\\[pP]\{(?:Script|sc|General_Category|gc)=`
const NAMED_GROUP = String.raw`\(\?<[^=!>[\]\\][^>[\]\\]*>`
const TOKEN = new RegExp(String.raw`${PAIR}|${PROPERTY}|\\[sS]-?|\\[^]|${NAMED_GROUP}|\(\?|[[\].]`, 'gu')
/** ECMA-262 §12.2 and §12.3: more than the five characters that RE2 means by `\s`. */
const SPACES = String.raw`\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff`
const OTHERS = [
  String.raw`\0-\x08\x0e-\x1f!-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e`,
  String.raw`\u2060-\u2fff\u3001-\ufefe\uff00-\u{10ffff}`,
].join('')
const KNOWN_ESCAPES = 'BDPSWbcdfnprstuvwx0'

/** Translates what RE2JS leaves to us: its own translation, of `\u0061` and the like, has to follow. */
export function toRe2(source: string): string {
  let inClass = false
  return source.replace(TOKEN, (token, at: number) => {
    if (token === '[' && inClass) return '\\['
    if (token === '[' || token === ']') {
      inClass = token === '['
      return token
    }
    if (token === '.') return inClass ? '.' : String.raw`[^\n\r\u2028\u2029]`
    if (token.startsWith('\\')) return translateEscape(token, inClass)
    if (inClass) return token
    if (token === '(?') refuseGroup(source.slice(at + 2, at + 4))
    // RE2 allows neither all names nor the same one twice, and nobody asks for them.
    return token === '(?' ? token : '(?:'
  })
}

function translateEscape(token: string, inClass: boolean): string {
  const letter = token.charAt(1)
  if (letter === 's' || letter === 'S') {
    const characters = letter === 's' ? SPACES : OTHERS
    return `${inClass ? characters : `[${characters}]`}${token.endsWith('-') ? '\\-' : ''}`
  }
  if (token.endsWith('=')) return token.slice(0, 3)
  if (token.length === PAIR_CHARS) return `\\u{${toCodePoint(token).toString(16)}}`
  if (token === '\\b' && inClass) return '\\x08'
  if (/[1-9k]/.test(letter)) throw new PatternError('a back reference cannot be matched in linear time')
  // V8 takes an unknown escape for the letter alone; who writes it means an edge, a quotation or another set.
  if (/[A-Za-z]/.test(letter) && !KNOWN_ESCAPES.includes(letter)) throw new PatternError(`${token} has no meaning`)
  return token
}

const PAIR_CHARS = 12

function toCodePoint(pair: string): number {
  return String.fromCharCode(...[2, 8].map((at) => Number.parseInt(pair.slice(at, at + 4), 16))).codePointAt(0) ?? 0
}

function refuseGroup(opening: string): void {
  if (/^<?[=!]/.test(opening)) throw new PatternError('look-around cannot be matched in linear time')
  if (/^[a-z-]/.test(opening)) throw new PatternError('flags inside a pattern are not available')
}
