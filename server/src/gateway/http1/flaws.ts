/** Every way in which a field section or its framing can be wrong, for both sides; each names its clause. */
import { CR, LF, SP, HTAB } from './grammar.ts'
import { defineFlaw, fieldsTooLarge, invalidHost, lengthConflict, malformedRequest, type Flaw } from './problems.ts'

const malformed = (detail: string): Flaw => defineFlaw(malformedRequest, detail)
const conflict = (detail: string): Flaw => defineFlaw(lengthConflict, detail)

export const unfinishedHead = malformed('The head does not end in an empty line (RFC 9112 §2.1).')
export const bareLineBreak = malformed('A line does not end in CRLF, or CR or LF stands alone (RFC 9112 §2.2).')
export const controlCharacter = malformed('A field value holds a control character (RFC 9110 §5.5).')
const emptyName = malformed('A field line has no name (RFC 9112 §5).')
const invalidName = malformed('A field name is not a token (RFC 9110 §5.1).')
const spaceBeforeColon = malformed('Whitespace stands between a field name and its colon (RFC 9112 §5.1).')
const lineFolding = malformed('A field line is folded or starts with whitespace (RFC 9112 §5.2).')
const missingColon = malformed('A field line has no colon (RFC 9112 §5).')
export const disguisedName = malformed('A field name imitates another with an underscore (RFC 9110 §17.10).')
export const repeatedSingle = malformed('A field that can have one value stands twice (RFC 9110 §5.3).')
export const tooManyFields = defineFlaw(fieldsTooLarge, 'The message has too many fields (RFC 6585 §5).')

export const invalidConnection = malformed('A connection option is not a token (RFC 9110 §7.6.1).')
export const tooManyOptions = malformed('Connection has too many options (RFC 9110 §7.6.1).')
export const nominatedEndToEnd = malformed('Connection names a field meant for every recipient (RFC 9110 §7.6.1).')

export const repeatedLength = conflict('Content-Length stands more than once (RFC 9112 §6.3).')
export const invalidLength = conflict('Content-Length is not one decimal number that can be counted (RFC 9110 §8.6).')
export const lengthAndCoding = conflict('Content-Length and Transfer-Encoding stand together (RFC 9112 §6.1).')
export const invalidCoding = conflict('The last transfer coding is not exactly one `chunked` (RFC 9112 §6.3).')
export const repeatedCoding = conflict('Transfer-Encoding stands more than once (RFC 9112 §6.1).')
export const paddedCoding = conflict('Whitespace stands behind Transfer-Encoding (RFC 9112 §6.1).')
export const codingInOldVersion = conflict('Transfer-Encoding stands in an HTTP/1.0 message (RFC 9112 §6.1).')

export const missingHost = defineFlaw(invalidHost, 'There is no Host field (RFC 9112 §3.2).')
export const repeatedHost = defineFlaw(invalidHost, 'Host stands more than once (RFC 9112 §3.2).')

/** What is wrong with a field name that ends at a character which is neither part of a token nor a colon. */
export function toNameFlaw(code: number, isEmpty: boolean): Flaw {
  if (isEmpty) return code === SP || code === HTAB ? lineFolding : code === 58 ? emptyName : bareOrInvalid(code)
  if (code === SP || code === HTAB) return spaceBeforeColon
  return code === CR ? missingColon : bareOrInvalid(code)
}

function bareOrInvalid(code: number): Flaw {
  return code === CR || code === LF ? bareLineBreak : invalidName
}
