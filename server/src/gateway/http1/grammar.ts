/** The character classes of HTTP/1.1 as tables: one load and one comparison for each byte of a head. */

/** Codes that the parser compares with. */
export const HTAB = 9
export const LF = 10
export const CR = 13
export const SP = 32
export const COLON = 58
export const DEL = 127

/** Lower-case code of a token character (RFC 9110 §5.6.2), 0 for every other byte. */
export const LOWER_TOKEN = new Uint8Array(256)

/** What a byte means in a request target (RFC 3986 §3.3 and §3.4). */
export const TARGET_CLASS = new Uint8Array(256)
export const TARGET_PLAIN = 1
export const TARGET_PERCENT = 2
export const TARGET_QUESTION = 3
/** Printable and not allowed by RFC 3986, though browsers send some of it: percent-encoded before anybody sees it. */
export const TARGET_REPAIRED = 4

/** What a byte means in the host of an authority: 1 stays, 2 is an upper-case letter, 3 is a dot. */
export const HOST_CLASS = new Uint8Array(256)
export const HOST_UPPER = 2
export const HOST_DOT = 3

/** Value of a hexadecimal digit plus one, 0 for every other byte. */
export const HEX_PLUS_ONE = new Uint8Array(256)

const digits = '0123456789'
const lower = 'abcdefghijklmnopqrstuvwxyz'
const upper = lower.toUpperCase()

function mark(table: Uint8Array, characters: string, value: number): void {
  for (let i = 0; i < characters.length; i++) table[characters.charCodeAt(i)] = value
}

for (const character of `${digits}${lower}${upper}!#$%&'*+-.^_\`|~`) {
  LOWER_TOKEN[character.charCodeAt(0)] = character.toLowerCase().charCodeAt(0)
}
mark(TARGET_CLASS, `${digits}${lower}${upper}-._~!$&'()*+,;=:@/`, TARGET_PLAIN)
mark(TARGET_CLASS, '%', TARGET_PERCENT)
mark(TARGET_CLASS, '?', TARGET_QUESTION)
mark(TARGET_CLASS, '"<>[]\\^`{|}', TARGET_REPAIRED)
mark(HOST_CLASS, `${digits}${lower}-_~`, 1)
mark(HOST_CLASS, upper, HOST_UPPER)
mark(HOST_CLASS, '.', HOST_DOT)
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16)
  mark(HEX_PLUS_ONE, digit + digit.toUpperCase(), value + 1)
}

/** Whether the two characters at `at` are hexadecimal digits. */
export function isHexPair(text: string, at: number): boolean {
  return HEX_PLUS_ONE[text.charCodeAt(at)] !== 0 && HEX_PLUS_ONE[text.charCodeAt(at + 1)] !== 0
}

/** Whether the text is a token (RFC 9110 §5.6.2): method, field name, connection option. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (!LOWER_TOKEN[text.charCodeAt(i)]) return false
  }
  return text.length > 0
}

/** Whether the text can be a field value (RFC 9110 §5.5): no control character but HTAB, nothing beyond one byte. */
export function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if ((code < SP && code !== HTAB) || code === DEL || code > 255) return false
  }
  return true
}

/** Without the optional whitespace (SP, HTAB) around it; `trim()` would take obs-text 0xA0 too. */
function trimWhitespace(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isWhitespace(text.charCodeAt(from))) from++
  while (to > from && isWhitespace(text.charCodeAt(to - 1))) to--
  return from === 0 && to === text.length ? text : text.slice(from, to)
}

/** The elements of a comma-separated list in lower case; empty ones are ignored (RFC 9110 §5.6.1.2). */
export function toListElements(value: string): string[] {
  const elements: string[] = []
  for (const part of value.split(',')) {
    const element = trimWhitespace(part)
    if (element !== '') elements.push(element.toLowerCase())
  }
  return elements
}

function isWhitespace(code: number): boolean {
  return code === SP || code === HTAB
}

/** Whether bytes[start, end) end in the empty line that ends a head. */
export function endsInEmptyLine(bytes: Uint8Array, start: number, end: number): boolean {
  const last = end - 1
  return (
    last - 3 >= start &&
    bytes[last] === LF &&
    bytes[last - 1] === CR &&
    bytes[last - 2] === LF &&
    bytes[last - 3] === CR
  )
}
