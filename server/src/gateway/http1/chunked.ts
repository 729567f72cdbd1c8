/**
 * The chunked transfer coding (RFC 9112 §7.1), decoded as the bytes come: no copy, no allocation for a chunk.
 *
 * Extensions are checked and dropped, within a limit for the whole body; trailers are kept where they may be passed on.
 */
import { Fields } from '../../kernel/fields.ts'
import type { Problem } from '../../kernel/problem.ts'
import { isTrailerAllowed } from './field-names.ts'
import { CR, HEX_PLUS_ONE, HTAB, LF, LOWER_TOKEN, SP } from './grammar.ts'
import { SectionFacts, isAboutMessage, parseFields } from './parse-fields.ts'
import { defineFlaw, malformedBody, type Flaw } from './problems.ts'

export interface ChunkedLimits {
  readonly maxTrailerBytes: number
  readonly maxFields: number
  /** Bytes of chunk extensions in the whole body. */
  readonly maxExtensionBytes: number
}

const malformed = (detail: string): Flaw => defineFlaw(malformedBody, detail)
const invalidSize = malformed('A chunk size is not hexadecimal digits (RFC 9112 §7.1).')
const sizeOverflow = malformed('A chunk size is too large to count (RFC 9112 §7.1).')
const invalidLineEnd = malformed('A line of the chunked coding does not end in CRLF (RFC 9112 §7.1).')
const invalidDataEnd = malformed('The data of a chunk is not followed by CRLF (RFC 9112 §7.1).')
const invalidExtension = malformed('A chunk extension breaks the grammar (RFC 9112 §7.1.1).')
const tooMuchExtension = malformed('The chunk extensions are longer than the limit (RFC 9112 §7.1.1).')
const tooLongTrailers = malformed('The trailers are longer than the limit (RFC 9112 §7.1.2).')
const invalidTrailer = malformed('A trailer is not a field line (RFC 9112 §7.1.2).')
const framingTrailer = malformed('A trailer is about framing or routing (RFC 9110 §6.5.1).')

const SIZE_START = 0
const SIZE = 1
const SIZE_LF = 2
const DATA = 3
const DATA_CR = 4
const DATA_LF = 5
const EXTENSION_START = 6
const EXTENSION_NAME = 7
const EXTENSION_VALUE_START = 8
const EXTENSION_VALUE = 9
const EXTENSION_QUOTED = 10
const EXTENSION_ESCAPE = 11
const EXTENSION_QUOTED_END = 12
const TRAILERS = 13
const DONE = 14
const FAILED = 15

const SEMICOLON = 59
const EQUALS = 61
const QUOTE = 34
const BACKSLASH = 92
/** Thirteen digits count to 2^52, beyond every body; leading zeros count too. */
const maxSizeDigits = 13

export class ChunkedDecoder {
  private readonly limits: ChunkedLimits
  private readonly onData: (bytes: Buffer, start: number, end: number) => void
  private state = SIZE_START
  private remaining = 0
  private digits = 0
  private extensionBytes = 0
  private trailerText = ''
  /** How much of the CRLF CRLF before the end of the trailers was seen. */
  private matched = 2
  private flaw: Flaw | undefined = undefined
  /** The trailers that may be passed on, once the body is whole and has some. */
  trailers: Fields | undefined = undefined

  constructor(limits: ChunkedLimits, onData: (bytes: Buffer, start: number, end: number) => void) {
    this.limits = limits
    this.onData = onData
  }

  get done(): boolean {
    return this.state === DONE
  }

  /** Why the body of a request cannot be read any further. */
  get problem(): Problem | undefined {
    return this.flaw?.inRequest
  }

  /** The same as a fault of the upstream, for the body of a response. */
  get responseProblem(): Problem | undefined {
    return this.flaw?.inResponse
  }

  reset(): void {
    this.state = SIZE_START
    this.remaining = 0
    this.digits = 0
    this.extensionBytes = 0
    this.trailerText = ''
    this.matched = 2
    this.flaw = undefined
    this.trailers = undefined
  }

  /** Feeds bytes[start, end); returns the index after the last byte consumed, which is `end` unless done or failed. */
  push(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end && this.state < DONE) {
      if (this.state === DATA) {
        const take = this.remaining < end - at ? this.remaining : end - at
        this.remaining -= take
        if (this.remaining === 0) this.state = DATA_CR
        at += take
        this.onData(bytes, at - take, at)
      } else if (this.state === TRAILERS) at = this.readTrailers(bytes, at, end)
      else {
        this.step(bytes[at] ?? 0)
        if (this.state !== FAILED) at++
      }
    }
    return at
  }

  private fail(flaw: Flaw): void {
    this.flaw = flaw
    this.state = FAILED
  }

  private expect(byte: number, expected: number, next: number, flaw: Flaw): void {
    if (byte === expected) this.state = next
    else this.fail(flaw)
  }

  /** One byte of the framing: sizes and line ends here, extensions apart. */
  private step(byte: number): void {
    switch (this.state) {
      case SIZE_START:
      case SIZE:
        this.readSize(byte)
        break
      case SIZE_LF:
        this.expect(byte, LF, this.remaining === 0 ? TRAILERS : DATA, invalidLineEnd)
        this.digits = 0
        break
      case DATA_CR:
        this.expect(byte, CR, DATA_LF, invalidDataEnd)
        break
      case DATA_LF:
        this.expect(byte, LF, SIZE_START, invalidDataEnd)
        break
      default:
        this.readExtension(byte)
    }
  }

  private readSize(byte: number): void {
    const digit = (HEX_PLUS_ONE[byte] ?? 0) - 1
    if (digit >= 0) {
      if (++this.digits > maxSizeDigits) this.fail(sizeOverflow)
      else {
        this.remaining = this.state === SIZE_START ? digit : this.remaining * 16 + digit
        this.state = SIZE
      }
    } else if (this.state === SIZE_START) this.fail(invalidSize)
    else if (byte === CR) this.state = SIZE_LF
    else if (byte === SEMICOLON) this.countExtension(EXTENSION_START)
    else this.fail(byte === LF ? invalidLineEnd : invalidSize)
  }

  private countExtension(next: number): void {
    if (++this.extensionBytes > this.limits.maxExtensionBytes) this.fail(tooMuchExtension)
    else this.state = next
  }

  /** `;name`, `;name=token` or `;name="text"`, without the whitespace that the grammar calls bad. */
  private readExtension(byte: number): void {
    const { state } = this
    const isToken = LOWER_TOKEN[byte] !== 0
    let next = -1
    if (state === EXTENSION_START) next = isToken ? EXTENSION_NAME : -1
    else if (state === EXTENSION_NAME)
      next = isToken ? EXTENSION_NAME : byte === EQUALS ? EXTENSION_VALUE_START : afterExtension(byte)
    else if (state === EXTENSION_VALUE_START) next = isToken ? EXTENSION_VALUE : byte === QUOTE ? EXTENSION_QUOTED : -1
    else if (state === EXTENSION_VALUE) next = isToken ? EXTENSION_VALUE : afterExtension(byte)
    else if (state === EXTENSION_QUOTED) next = inQuotes(byte)
    else if (state === EXTENSION_ESCAPE) next = byte === QUOTE || byte === BACKSLASH ? EXTENSION_QUOTED : -1
    else next = afterExtension(byte)
    if (next === -1) this.fail(invalidExtension)
    else this.countExtension(next)
  }

  private readTrailers(bytes: Buffer, start: number, end: number): number {
    let at = start
    let { matched } = this
    while (at < end && matched < 4) {
      const byte = bytes[at]
      const expected = matched === 1 || matched === 3 ? LF : CR
      if (byte === expected) matched++
      else if (byte === LF || byte === CR || expected === LF) {
        this.fail(invalidLineEnd)
        return at
      } else matched = 0
      at++
    }
    this.matched = matched
    if (this.trailerText.length + at - start > this.limits.maxTrailerBytes + 2) {
      this.fail(tooLongTrailers)
      return at
    }
    this.trailerText += bytes.toString('latin1', start, at)
    if (matched === 4) this.finish()
    return at
  }

  private finish(): void {
    this.state = DONE
    if (this.trailerText.length === 2) return
    const fields = new Fields()
    const bytes = Buffer.from(this.trailerText, 'latin1')
    const facts = parseFields(bytes, 0, bytes.length, this.limits.maxFields, fields)
    if (!(facts instanceof SectionFacts)) return this.fail(invalidTrailer)
    if (isAboutMessage(facts)) return this.fail(framingTrailer)
    const kept = new Fields()
    for (let i = 0; i < fields.size; i++) {
      const name = fields.names[i] ?? ''
      if (isTrailerAllowed(name)) kept.append(name, fields.values[i] ?? '')
    }
    if (kept.size > 0) this.trailers = kept
  }
}

function afterExtension(byte: number): number {
  return byte === SEMICOLON ? EXTENSION_START : byte === CR ? SIZE_LF : -1
}

function inQuotes(byte: number): number {
  if (byte === QUOTE) return EXTENSION_QUOTED_END
  if (byte === BACKSLASH) return EXTENSION_ESCAPE
  return byte === HTAB || (byte >= SP && byte !== 127) ? EXTENSION_QUOTED : -1
}
