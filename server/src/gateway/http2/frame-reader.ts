/**
 * Cuts what a client sends into frames (RFC 9113 §4.1), behind the preface that begins a connection. A frame that lies
 * whole in what was read is handed on where it lies; only one that comes in pieces is put together.
 */
import { FRAME_HEAD_BYTES, FRAME_SIZE_ERROR, MAX_FRAME_BYTES, PREFACE, PROTOCOL_ERROR } from './frames.ts'

export interface FrameHandler {
  /** False once the connection reads no more. */
  readonly reads: boolean
  /** The payload is bytes[start, end); `volatile` bytes are overwritten after the call. */
  frame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
    volatile: boolean,
  ): void
  /** The bytes are no HTTP/2, or a frame is larger than allowed. */
  broken(code: number): void
}

export class FrameReader {
  /** Frames that were read or begun: tells whether it is still the same one that does not end. */
  count = 0
  private readonly handler: FrameHandler
  private prefaceBytes = 0
  private partial: Buffer | undefined
  private partialBytes = 0

  constructor(handler: FrameHandler) {
    this.handler = handler
  }

  /** Type of the frame of which a part is here, -1 when its head is not whole, undefined when none is begun. */
  get begun(): number | undefined {
    if (this.prefaceBytes < PREFACE.length) return -1
    if (this.partialBytes === 0) return undefined
    return this.partialBytes < FRAME_HEAD_BYTES ? -1 : this.partial?.[3]
  }

  receive(bytes: Buffer, end: number, volatile: boolean): void {
    let at = this.prefaceBytes < PREFACE.length ? this.readPreface(bytes, end) : 0
    if (this.partialBytes > 0) at = this.complete(bytes, at, end)
    while (this.handler.reads && end - at >= FRAME_HEAD_BYTES) {
      const length = toLength(bytes, at)
      if (length > MAX_FRAME_BYTES) {
        this.handler.broken(FRAME_SIZE_ERROR)
        return
      }
      const next = at + FRAME_HEAD_BYTES + length
      if (next > end) break
      this.hand(bytes, at, next, volatile)
      at = next
    }
    if (at < end && this.handler.reads) this.keep(bytes, at, end)
  }

  private readPreface(bytes: Buffer, end: number): number {
    const length = Math.min(end, PREFACE.length - this.prefaceBytes)
    if (bytes.compare(PREFACE, this.prefaceBytes, this.prefaceBytes + length, 0, length) !== 0) {
      this.handler.broken(PROTOCOL_ERROR)
      return end
    }
    this.prefaceBytes += length
    return length
  }

  /** Takes for the frame at hand what it lacks; returns where the next begins. */
  private complete(bytes: Buffer, from: number, end: number): number {
    const { partial } = this
    if (partial === undefined) return from
    const at = this.fill(partial, FRAME_HEAD_BYTES, bytes, from, end)
    if (this.partialBytes < FRAME_HEAD_BYTES) return at
    const length = toLength(partial, 0)
    if (length > MAX_FRAME_BYTES) {
      this.handler.broken(FRAME_SIZE_ERROR)
      return end
    }
    const whole = FRAME_HEAD_BYTES + length
    const roomy = partial.length < whole ? this.enlarge(partial, whole) : partial
    const next = this.fill(roomy, whole, bytes, at, end)
    if (this.partialBytes < whole) return next
    this.partial = undefined
    this.partialBytes = 0
    this.hand(roomy, 0, whole, false)
    return next
  }

  private fill(target: Buffer, upTo: number, bytes: Buffer, from: number, end: number): number {
    const length = Math.min(Math.max(0, upTo - this.partialBytes), end - from)
    bytes.copy(target, this.partialBytes, from, from + length)
    this.partialBytes += length
    return from + length
  }

  private enlarge(partial: Buffer, length: number): Buffer {
    const larger = Buffer.allocUnsafe(length)
    partial.copy(larger, 0, 0, this.partialBytes)
    this.partial = larger
    return larger
  }

  private keep(bytes: Buffer, start: number, end: number): void {
    this.count++
    const length = end - start
    const whole = length < FRAME_HEAD_BYTES ? FRAME_HEAD_BYTES : FRAME_HEAD_BYTES + toLength(bytes, start)
    this.partial = Buffer.allocUnsafe(whole)
    this.partialBytes = bytes.copy(this.partial, 0, start, end)
  }

  private hand(bytes: Buffer, at: number, end: number, volatile: boolean): void {
    this.count++
    const streamId = bytes.readUInt32BE(at + 5) & 0x7fff_ffff
    this.handler.frame(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, streamId, bytes, at + FRAME_HEAD_BYTES, end, volatile)
  }
}

function toLength(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
}
