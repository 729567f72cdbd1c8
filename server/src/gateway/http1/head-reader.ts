/** The heads of the requests of one connection, found in bytes that come in any pieces and read within the limits. */
import type { Problem } from '../../kernel/problem.ts'
import type { ListenerLimits } from '../../kernel/snapshot.ts'
import { bareLineBreak } from './flaws.ts'
import { findHeadEnd, isHopelessHead, parseRequestHead, type RequestHead } from './parse.ts'
import { fieldsTooLarge, targetTooLong } from './problems.ts'

/** Method and version stand in the request line beside the target. */
const BESIDE_TARGET_BYTES = 32

export class HeadReader {
  /** Index after the head that was read last. */
  end = 0
  private scannedBytes = 0

  /** The head that begins at `start`, or what is wrong with it; undefined while it is not whole. */
  read(bytes: Buffer, start: number, end: number, limits: ListenerLimits): RequestHead | Problem | undefined {
    // RFC 9112 §2.2: at least one empty line before the request line is to be ignored.
    const at = end - start > 1 && bytes[start] === 13 && bytes[start + 1] === 10 ? start + 2 : start
    const headEnd = findHeadEnd(bytes, at, Math.max(at, at + this.scannedBytes - 3), end)
    if (headEnd !== -1 && headEnd - at <= limits.maxHeadBytes) {
      this.scannedBytes = 0
      this.end = headEnd
      return parseRequestHead(bytes, at, headEnd, limits)
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
}
