/** The heads of the requests of one connection, found in bytes that come in any pieces and read within the limits. */
import type { Problem } from '../../kernel/problem.ts'
import { bareLineBreak } from './flaws.ts'
import { LastSection } from './last-section.ts'
import { findHeadEnd, isHopelessHead, parseRequestHead, type HeadLimits, type RequestHead } from './parse.ts'
import { fieldsTooLarge, targetTooLong } from './problems.ts'

/** Method and version stand in the request line beside the target. */
const BESIDE_TARGET_BYTES = 32

export class HeadReader {
  /** Index after the head that was read last. */
  end = 0
  private readonly last = new LastSection()
  private scannedBytes = 0

  /** The head that begins at `start`, or what is wrong with it; undefined while it is not whole. */
  read(bytes: Buffer, start: number, end: number, limits: HeadLimits): RequestHead | Problem | undefined {
    // RFC 9112 §2.2: at least one empty line before the request line is to be ignored.
    const at = end - start > 1 && bytes[start] === 13 && bytes[start + 1] === 10 ? start + 2 : start
    const headEnd = this.findEnd(bytes, at, end)
    if (headEnd !== -1 && headEnd - at <= limits.maxHeadBytes) {
      this.scannedBytes = 0
      this.end = headEnd
      return parseRequestHead(bytes, at, headEnd, limits, this.last)
    }
    if (headEnd !== -1 || end - at > limits.maxHeadBytes) {
      const line = bytes.indexOf('\r\n', at, 'latin1')
      const isLongLine = line === -1 || line - at > limits.maxTargetBytes + BESIDE_TARGET_BYTES
      return isLongLine ? targetTooLong() : fieldsTooLarge()
    }
    if (isHopelessHead(bytes, at, at + this.scannedBytes, end)) return bareLineBreak.inRequest
    this.scannedBytes = end - at
    return undefined
  }

  private findEnd(bytes: Buffer, start: number, end: number): number {
    const { scannedBytes } = this
    const known = scannedBytes === 0 ? this.last.findHeadEnd(bytes, start, end) : -1
    return known === -1 ? findHeadEnd(bytes, start, Math.max(start, start + scannedBytes - 3), end) : known
  }

  /** Nothing more is read. */
  close(): void {
    this.last.forget()
  }
}
