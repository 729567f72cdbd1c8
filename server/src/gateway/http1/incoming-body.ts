/**
 * A body on its way in over HTTP/1.1, a request's from a client or a response's from an upstream: bytes of the socket
 * in, chunks to one sink out. It takes nothing while its sink is missing or full; its owner then keeps the bytes.
 */
import type { BodySink, BodySource } from '../../kernel/body.ts'
import { BodyProblem } from '../../kernel/body-problem.ts'
import { ChunkedDecoder } from './chunked.ts'
import { CHUNKED } from './parse.ts'
import { givePieceMemoryBack, takePieceMemory } from './piece-memory.ts'
import { bodyTooLarge } from './problems.ts'

export interface BodyOwner {
  /** The sink can take bytes (again): the owner offers what it kept and reads on. */
  bodyFlows(): void
  /** The sink wants no more. */
  bodyCancelled(): void
}

export interface BodyLimits {
  readonly maxBodyBytes: number
  readonly maxTrailerBytes: number
  readonly maxFields: number
  /** Whose fault a malformed body is: the target's, or the client's. */
  readonly isResponse: boolean
}

export class IncomingBody implements BodySource {
  readonly bodyBytes: number | undefined
  /** Payload bytes that arrived so far, framing not counted. */
  receivedBytes = 0
  done = false
  cancelled = false
  /** It broke off: where the next message would begin is not known any more. */
  failed = false
  private readonly isResponse: boolean
  private sink: BodySink | undefined
  private blocked = false
  private remaining: number
  private decoder: ChunkedDecoder | undefined
  private copying = false
  /** The data of the chunks of one read, moved together: where it begins and ends in the buffer. */
  private gatheredFrom = 0
  private gatheredTo = 0
  /** Where the last large piece stands, while its sink may hold it. */
  private lent: Buffer | undefined
  private readonly owner: BodyOwner
  private readonly maxBytes: number

  /** `framing` is a length in bytes, CHUNKED or UNTIL_CLOSE. */
  constructor(owner: BodyOwner, framing: number, limits: BodyLimits) {
    this.owner = owner
    this.bodyBytes = framing >= 0 ? framing : undefined
    this.remaining = framing >= 0 ? framing : Number.POSITIVE_INFINITY
    this.maxBytes = limits.maxBodyBytes
    this.isResponse = limits.isResponse
    if (framing === CHUNKED) {
      this.decoder = new ChunkedDecoder(
        { maxTrailerBytes: limits.maxTrailerBytes, maxFields: limits.maxFields, maxExtensionBytes: 4096 },
        (bytes, start, end) => this.gather(bytes, start, end),
      )
    }
  }

  get wanted(): boolean {
    return this.cancelled || (this.sink !== undefined && !this.blocked)
  }

  get flowing(): boolean {
    return this.sink !== undefined
  }

  flow(sink: BodySink): void {
    this.sink = sink
    this.owner.bodyFlows()
  }

  resume(): void {
    this.takeBack()
    this.blocked = false
    this.owner.bodyFlows()
  }

  cancel(): void {
    if (this.done || this.cancelled) return
    this.cancelled = true
    this.sink = undefined
    this.owner.bodyCancelled()
  }

  /**
   * Offers bytes[start, end); returns the index after the last one taken. `volatile` says that the buffer is read into
   * again after this call, so that what the sink keeps must be copied.
   */
  push(bytes: Buffer, start: number, end: number, volatile: boolean): number {
    if (!this.wanted || this.done) return start
    this.copying = volatile
    if (this.decoder !== undefined) return this.pushChunked(this.decoder, bytes, start, end)
    const take = end - start > this.remaining ? this.remaining : end - start
    this.remaining -= take
    if (take > 0) this.deliver(bytes, start, start + take)
    if (this.remaining === 0) this.finish(undefined)
    return start + take
  }

  /** The connection ended: right for a body until close, a breach for every other. */
  connectionEnded(cause: Error): void {
    if (this.done) return
    if (this.bodyBytes === undefined && this.decoder === undefined) this.finish(undefined)
    else this.fail(cause)
  }

  fail(cause: Error): void {
    if (this.done) return
    this.done = true
    this.failed = true
    this.sink?.fail(cause)
  }

  private pushChunked(decoder: ChunkedDecoder, bytes: Buffer, start: number, end: number): number {
    const next = decoder.push(bytes, start, end)
    const { problem } = decoder
    if (problem !== undefined)
      this.fail(new BodyProblem((this.isResponse ? decoder.responseProblem : undefined) ?? problem))
    else {
      const { gatheredFrom, gatheredTo } = this
      this.gatheredTo = gatheredFrom
      if (gatheredTo > gatheredFrom) this.deliver(bytes, gatheredFrom, gatheredTo)
      if (decoder.done) this.finish(decoder.trailers)
    }
    return this.done && decoder.problem !== undefined ? end : next
  }

  /**
   * Chunks of one read go on as one piece: passed on one by one, chunks of a byte would cost a write each. What framed
   * them was read already, so its room is free for the data behind it.
   */
  private gather(bytes: Buffer, start: number, end: number): void {
    if (this.gatheredTo === this.gatheredFrom) {
      this.gatheredFrom = start
      this.gatheredTo = end
      return
    }
    bytes.copyWithin(this.gatheredTo, start, end)
    this.gatheredTo += end - start
  }

  private finish(trailers: Parameters<BodySink['end']>[0]): void {
    if (this.done) return
    this.done = true
    this.sink?.end(trailers)
  }

  private deliver(bytes: Buffer, start: number, end: number): void {
    this.receivedBytes += end - start
    if (this.receivedBytes > this.maxBytes) {
      this.fail(new BodyProblem(bodyTooLarge({ detail: `The body is longer than ${this.maxBytes} bytes.` })))
      return
    }
    if (this.sink === undefined || this.done) return
    const view = bytes.subarray(start, end)
    if (!this.sink.chunk(this.copying ? this.copyOf(view) : view)) this.blocked = true
    this.takeBack()
  }

  private copyOf(view: Buffer): Buffer {
    const memory = takePieceMemory(view.length)
    if (memory === undefined) return Buffer.from(view)
    this.lent = memory
    return memory.subarray(0, view.copy(memory))
  }

  private takeBack(): void {
    if (this.lent === undefined || this.sink?.isThrough !== true) return
    givePieceMemoryBack(this.lent)
    this.lent = undefined
  }
}
