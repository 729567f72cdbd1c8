/**
 * The path of a request in the one form that is matched, checked by policies and sent on.
 *
 * Gateways are bypassed where they and an upstream read a path differently. So what all readers agree on is brought
 * into one form (RFC 3986 §6.2.2), and what they disagree on is refused. The result is its own normal form.
 */
import { defineProblem, type Problem } from './problem.ts'

/** @public The reference is generated from it. */
export const unsafePath = defineProblem({
  code: 'http.unsafe_path',
  status: 400,
  title: 'Ambiguous path',
  blame: 'caller',
  remedy: 'Send a path that has only one reading; `detail` names the part that servers read in different ways.',
})

/** Why a path is refused: an occurrence of `http.unsafe_path`. */
export type PathRefusal = Problem

const refuse = (detail: string): PathRefusal => unsafePath({ detail })
const notAbsolute = refuse('The path does not start with a slash (RFC 9112 §3.2.1).')
const invalidCharacter = refuse('The path holds a character that RFC 3986 §3.3 does not allow.')
const invalidPercent = refuse('A percent sign is not followed by two hex digits (RFC 3986 §2.1).')
const encodedControl = refuse('The path holds an encoded control character (RFC 3986 §7.3).')
const encodedSlash = refuse('The path holds an encoded slash, which some servers take for a slash (RFC 3986 §7.3).')
const encodedBackslash = refuse(
  'The path holds an encoded backslash, which some servers take for a slash (RFC 3986 §7.3).',
)
const doubleEncoding = refuse('The path is percent-encoded twice (RFC 3986 §2.4).')
const invalidUtf8 = refuse('The percent-encoded bytes of the path are not UTF-8 (RFC 3986 §2.5).')
const aboveRoot = refuse('Dot segments lead above the root of the path (RFC 3986 §5.2.4).')
const dotWithParameters = refuse('A dot segment carries path parameters, which some servers cut off (RFC 3986 §3.3).')
const emptyWithParameters = refuse('A segment has path parameters and no name (RFC 3986 §3.3).')
const hiddenDotSegment = refuse('An encoded slash hides a dot segment (RFC 3986 §5.2.4).')

const SLASH = 47
const DOT = 46
const PERCENT = 37
const SEMICOLON = 59
const BACKSLASH = 92

/** What a byte means in a path: 0 refused, 1 reserved (pchar but not unreserved), 2 unreserved, 3 percent, 4 slash. */
const CLASS = new Uint8Array(256)
const RESERVED = 1
const UNRESERVED = 2
for (const character of "!$&'()*+,;=:@") CLASS[character.charCodeAt(0)] = RESERVED
for (const character of '-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ') {
  CLASS[character.charCodeAt(0)] = UNRESERVED
}
CLASS[PERCENT] = 3
CLASS[SLASH] = 4

/**
 * Brings a raw path into its one form, or says why it has none. Most paths are in it already and come back as they
 * are. With `keep`, `%2F` stays as data; no other encoded separator ever does.
 */
export function normalisePath(raw: string, encodedSlashes: 'refuse' | 'keep'): string | PathRefusal {
  if (raw.charCodeAt(0) !== SLASH) return notAbsolute
  let afterSlash = false
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i)
    const kind = CLASS[code]
    if (kind === UNRESERVED) {
      if (afterSlash && code === DOT) return normaliseSlowly(raw, encodedSlashes)
      afterSlash = false
    } else if (code === SLASH) {
      if (afterSlash) return normaliseSlowly(raw, encodedSlashes)
      afterSlash = true
    } else if (kind === RESERVED && !(afterSlash && code === SEMICOLON)) afterSlash = false
    else return normaliseSlowly(raw, encodedSlashes)
  }
  return raw
}

/** The text of one segment, for a path parameter; the path must come from `normalisePath`, so that this never throws. */
export function decodeSegment(segment: string): string {
  return segment.includes('%') ? decodeURIComponent(segment) : segment
}

function normaliseSlowly(raw: string, encodedSlashes: 'refuse' | 'keep'): string | PathRefusal {
  const text = normaliseEncoding(raw, encodedSlashes)
  if (typeof text !== 'string') return text
  const parts = text.split('/')
  const kept: string[] = []
  for (let i = 1; i < parts.length; i++) {
    const segment = parts[i] ?? ''
    const isLast = i === parts.length - 1
    if (segment === '' || segment === '.') {
      if (isLast) kept.push('')
    } else if (segment === '..') {
      if (kept.length === 0) return aboveRoot
      kept.pop()
      if (isLast) kept.push('')
    } else {
      const refusal = checkSegment(segment)
      if (refusal !== undefined) return refusal
      kept.push(segment)
    }
  }
  return `/${kept.join('/')}`
}

/** Decodes unreserved characters, writes the other encodings in upper case, refuses those that have two readings. */
function normaliseEncoding(raw: string, encodedSlashes: 'refuse' | 'keep'): string | PathRefusal {
  let text = ''
  let from = 0
  let hasUtf8 = false
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i)
    if (!CLASS[code]) return invalidCharacter
    if (code !== PERCENT) continue
    const byte = hexAt(raw, i + 1)
    if (byte === -1) return invalidPercent
    if (byte < 32 || byte === 127) return encodedControl
    if (byte === BACKSLASH) return encodedBackslash
    if (byte === SLASH && encodedSlashes === 'refuse') return encodedSlash
    if (byte > 127) hasUtf8 = true
    text += raw.slice(from, i)
    text += CLASS[byte] === UNRESERVED ? String.fromCharCode(byte) : raw.slice(i, i + 3).toUpperCase()
    from = i + 3
    i += 2
  }
  text += raw.slice(from)
  if (isEncodedTwice(text)) return doubleEncoding
  return hasUtf8 && !isUtf8(text) ? invalidUtf8 : text
}

/**
 * Whether a reader that decodes once too often would see a separator, a dot or a control character. Asked of the
 * finished text: `%25%32%65` hides `%2e` behind two more encodings.
 */
function isEncodedTwice(text: string): boolean {
  for (let at = text.indexOf('%25'); at !== -1; at = text.indexOf('%25', at + 3)) {
    const inner = hexAt(text, at + 3)
    const isSeparator = inner === SLASH || inner === BACKSLASH || inner === SEMICOLON
    if (isSeparator || inner === DOT || inner === PERCENT || (inner >= 0 && inner < 32) || inner === 127) return true
  }
  return false
}

/** Tomcat and others cut `;…` off a segment before they look at dots; others take a kept `%2F` for a slash. */
function checkSegment(segment: string): PathRefusal | undefined {
  const name = toBareName(segment)
  if (name !== segment) {
    if (name === '') return emptyWithParameters
    if (name === '.' || name === '..') return dotWithParameters
  }
  if (!segment.includes('%2F')) return undefined
  const hidden = segment.split('%2F').some((part) => isDots(toBareName(part)))
  return hidden ? hiddenDotSegment : undefined
}

function isDots(name: string): boolean {
  return name === '.' || name === '..'
}

/** A segment without its parameters, be their `;` encoded or not. */
function toBareName(segment: string): string {
  const end = segment.search(/;|%3B/)
  return end === -1 ? segment : segment.slice(0, end)
}

function isUtf8(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    // The one way to ask the engine; it knows overlong forms and surrogates.
    return false
  }
}

function hexAt(text: string, at: number): number {
  const high = toDigit(text.charCodeAt(at))
  const low = toDigit(text.charCodeAt(at + 1))
  return high === -1 || low === -1 ? -1 : high * 16 + low
}

function toDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}
