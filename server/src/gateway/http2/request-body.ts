/**
 * The body of a request on an HTTP/2 stream. What nobody takes yet is kept here, at most as much as the stream's window;
 * the window opens again by what was taken, so that a sink that waits holds its client back.
 */
import type { BodySink, BodySource } from '../../kernel/body.ts'
import { BodyProblem } from '../../kernel/body-problem.ts'
import type { Fields } from '../../kernel/fields.ts'
import type { BodyRoom } from '../body-room.ts'
import { bodyTooLarge } from '../http1/problems.ts'

/** Frames smaller than this are gathered while they wait: a million of one byte must not be a million buffers. */
const SMALL_BYTES = 4_096
const GATHERED_BYTES = 16_384

export interface StreamBodyOwner {
  /** The sink asked for the body. */
  bodyFlows(): void
  /** So many bytes were taken, or will never be. */
  bodyTaken(bytes: number): void
  /** The body came whole. */
  bodyEnded(): void
}

export class StreamBody implements BodySource {
  readonly bodyBytes: number | undefined
  receivedBytes = 0
  done = false
  cancelled = false
  private readonly owner: StreamBodyOwner
  private readonly maxBytes: number
  private readonly room: BodyRoom
  private sink: BodySink | undefined
  private blocked = false
  private kept: Buffer[] = []
  private keptBytes = 0
  /** Bytes of the last kept buffer that hold something, when small frames are gathered in it. */
  private filledBytes = 0
  private wholeWith: { readonly trailers: Fields | undefined } | undefined
  private cause: Error | undefined

  constructor(owner: StreamBodyOwner, bodyBytes: number | undefined, maxBytes: number, room: BodyRoom) {
    this.owner = owner
    this.bodyBytes = bodyBytes
    this.maxBytes = maxBytes
    this.room = room
  }

  get wanted(): boolean {
    return this.cancelled || (this.sink !== undefined && !this.blocked)
  }

  flow(sink: BodySink): void {
    if (this.cause !== undefined) {
      sink.fail(this.cause)
      return
    }
    this.sink = sink
    this.owner.bodyFlows()
    this.goOn()
  }

  resume(): void {
    this.blocked = false
    this.goOn()
  }

  cancel(): void {
    if (this.done || this.cancelled) return
    this.cancelled = true
    this.sink = undefined
    this.drop()
  }

  fail(cause: Error): void {
    if (this.done) return
    this.done = true
    this.cause = cause
    this.drop()
    this.sink?.fail(cause)
  }

  /** Takes the payload of a DATA frame. */
  push(bytes: Buffer, start: number, end: number, volatile: boolean): void {
    const length = end - start
    this.receivedBytes += length
    if (this.receivedBytes > this.maxBytes && !this.done && !this.cancelled) {
      this.fail(new BodyProblem(bodyTooLarge({ detail: `The body is longer than ${this.maxBytes} bytes.` })))
    }
    if (this.done || this.cancelled) {
      this.owner.bodyTaken(length)
      return
    }
    if (this.sink === undefined || this.blocked || this.keptBytes > 0) {
      if (this.keep(bytes, start, end, volatile)) return
      this.fail(new BodyProblem(this.room.refusal()))
      this.owner.bodyTaken(length)
      return
    }
    const view = bytes.subarray(start, end)
    this.deliver(volatile ? Buffer.from(view) : view)
  }

  /** The client has sent everything. */
  end(trailers: Fields | undefined): void {
    if (this.done) return
    this.wholeWith = { trailers }
    this.goOn()
  }

  private goOn(): void {
    while (this.sink !== undefined && !this.blocked && !this.done && this.kept.length > 0)
      this.deliver(this.takeFirst())
    if (this.wholeWith === undefined || this.done || this.keptBytes > 0 || (this.sink === undefined && !this.cancelled))
      return
    this.done = true
    this.owner.bodyEnded()
    this.sink?.end(this.wholeWith.trailers)
  }

  private deliver(bytes: Buffer): void {
    if (this.sink?.chunk(bytes) === false) this.blocked = true
    this.owner.bodyTaken(bytes.length)
  }

  private takeFirst(): Buffer {
    const first = this.kept.shift() ?? EMPTY
    const bytes = this.kept.length === 0 && this.filledBytes > 0 ? first.subarray(0, this.filledBytes) : first
    if (this.kept.length === 0) this.filledBytes = 0
    this.keptBytes -= bytes.length
    this.room.give(memoryOf(first))
    return bytes
  }

  /** False when there is no room for it. */
  private keep(bytes: Buffer, start: number, end: number, volatile: boolean): boolean {
    const length = end - start
    if (length >= SMALL_BYTES) {
      const view = bytes.subarray(start, end)
      const piece = volatile ? Buffer.from(view) : view
      if (!this.room.take(memoryOf(piece))) return false
      this.endGathering()
      this.kept.push(piece)
    } else {
      if (this.filledBytes === 0 || this.filledBytes + length > GATHERED_BYTES) {
        if (!this.room.take(GATHERED_BYTES)) return false
        this.endGathering()
        this.kept.push(Buffer.allocUnsafeSlow(GATHERED_BYTES))
      }
      bytes.copy(this.kept[this.kept.length - 1] ?? EMPTY, this.filledBytes, start, end)
      this.filledBytes += length
    }
    this.keptBytes += length
    return true
  }

  private endGathering(): void {
    const last = this.kept.length - 1
    const gathered = this.kept[last]
    if (this.filledBytes > 0 && gathered !== undefined) this.kept[last] = gathered.subarray(0, this.filledBytes)
    this.filledBytes = 0
  }

  /** What is kept will never be taken; the connection's window is owed it. */
  private drop(): void {
    const bytes = this.keptBytes
    for (const each of this.kept) this.room.give(memoryOf(each))
    this.kept = []
    this.keptBytes = 0
    this.filledBytes = 0
    if (bytes > 0) this.owner.bodyTaken(bytes)
  }
}

/** What a kept piece costs: a gathered one all of its memory, however little is in it. */
function memoryOf(piece: Buffer): number {
  return piece.buffer.byteLength === GATHERED_BYTES ? GATHERED_BYTES : piece.length
}

const EMPTY = Buffer.alloc(0)
