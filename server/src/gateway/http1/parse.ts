/**
 * The parser of HTTP/1.1 heads: where a head ends, and what it says.
 *
 * A connection looks for the end of the head in its bytes and has it read in one pass: request line or status line,
 * then the fields. What RFC 9112 leaves open is decided in docs/reference/http.md;
 * nothing that is refused there ever becomes a head.
 */
import { CR, HTAB, LF, SP } from './grammar.ts'

export { CHUNKED, RequestHead, ResponseHead, UNTIL_CLOSE, type HeadLimits } from './head.ts'
export { parseRequestHead } from './parse-request.ts'
export { parseResponseHead } from './parse-response.ts'

/**
 * Index just after the CRLF CRLF that ends a head which begins at `start`, or -1. The search resumes at `from`, up to
 * where an earlier call had searched.
 */
export function findHeadEnd(bytes: Buffer, start: number, from: number, end: number): number {
  // Looks at every fourth byte at most: a head is mostly neither CR nor LF. It stops at `end`, beyond which a shared
  // buffer holds the bytes of an older read.
  let at = Math.max(start, from - 3) + 3
  while (at < end) {
    const byte = bytes[at]
    if (byte === LF) {
      if (bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR) return at + 1
      at += 2
    } else if (byte === CR) at += 1
    else at += 4
  }
  return -1
}

/**
 * Whether a head that is not whole yet can only be refused: a LF or CR stands alone, or there is a control character.
 * Its sender is told at once and not when its time is over. Bytes before `from` were asked about before.
 */
export function isHopelessHead(bytes: Buffer, start: number, from: number, end: number): boolean {
  for (let at = Math.max(start, from - 1); at < end; at++) {
    const byte = bytes[at] ?? 0
    if (byte >= SP || byte === HTAB) continue
    if (byte === CR) {
      if (at + 1 < end && bytes[at + 1] !== LF) return true
    } else if (byte !== LF || at === start || bytes[at - 1] !== CR) return true
  }
  return false
}
