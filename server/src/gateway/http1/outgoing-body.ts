/** A body on its way out over HTTP/1.1, a request's to an upstream or a response's to a client. */
import type { BodySink, BodySource } from '../../kernel/body.ts'
import type { Fields } from '../../kernel/fields.ts'
import type { Outbox } from './outbox.ts'
import { writeChunk, writeLastChunk } from './write.ts'

export interface OutgoingOwner {
  /** The last byte was handed to the socket. */
  bodySent(): void
  /** The source broke off: what was sent cannot be completed any more. */
  bodyBroke(cause: Error): void
}

export class OutgoingBody implements BodySink {
  sentBytes = 0
  private readonly outbox: Outbox
  private readonly source: BodySource
  private readonly chunked: boolean
  private readonly owner: OutgoingOwner
  private waiting = false
  private done = false

  constructor(outbox: Outbox, source: BodySource, chunked: boolean, owner: OutgoingOwner) {
    this.outbox = outbox
    this.source = source
    this.chunked = chunked
    this.owner = owner
  }

  start(): void {
    this.source.flow(this)
  }

  chunk(bytes: Uint8Array): boolean {
    // An empty write makes a TLS socket read on, into the buffer of the read that is under way.
    if (this.done || bytes.length === 0) return true
    this.sentBytes += bytes.length
    const flowing = this.chunked ? writeChunk(this.outbox, bytes) : this.outbox.write(bytes)
    this.waiting = !flowing
    return flowing
  }

  get isThrough(): boolean {
    return this.outbox.isEmpty
  }

  end(trailers: Fields | undefined): void {
    if (this.done) return
    this.done = true
    if (this.chunked) writeLastChunk(this.outbox, trailers)
    this.owner.bodySent()
  }

  fail(cause: Error): void {
    if (this.done) return
    this.done = true
    this.owner.bodyBroke(cause)
  }

  /** The socket has room again. */
  drained(): void {
    if (!this.waiting || this.done) return
    this.waiting = false
    this.source.resume()
  }

  /** The receiver is gone or wants no more. */
  stop(): void {
    if (this.done) return
    this.done = true
    this.source.cancel()
  }
}
