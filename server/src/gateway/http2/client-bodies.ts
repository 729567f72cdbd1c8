/** The two bodies of an HTTP/2 call to a target, each between a stream of `node:http2` and a body of the kernel. */
import type { ClientHttp2Stream } from 'node:http2'
import type { BodySink, BodySource } from '../../kernel/body.ts'
import type { Fields } from '../../kernel/fields.ts'
import { toTrailerRecord } from './client-fields.ts'

/** Sends the body of a request: takes from its source what the stream's window allows. */
export class RequestBody implements BodySink {
  private readonly stream: ClientHttp2Stream
  private readonly source: BodySource
  private readonly broke: (cause: Error) => void
  private trailers: Fields | undefined
  private over = false

  constructor(stream: ClientHttp2Stream, source: BodySource, broke: (cause: Error) => void) {
    this.stream = stream
    this.source = source
    this.broke = broke
  }

  start(): void {
    this.stream.on('drain', () => {
      if (!this.over) this.source.resume()
    })
    this.source.flow(this)
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.over || this.stream.destroyed) return true
    return this.stream.write(bytes)
  }

  end(trailers: Fields | undefined): void {
    if (this.over) return
    this.over = true
    this.trailers = trailers
    this.stream.end()
  }

  fail(cause: Error): void {
    if (this.over) return
    this.over = true
    this.broke(cause)
  }

  /** All data is sent; this ends the stream, with the trailers if there are any. */
  sendTrailers(): void {
    if (this.stream.destroyed || this.stream.closed) return
    try {
      this.stream.sendTrailers(toTrailerRecord(this.trailers))
    } catch (cause) {
      // Trailers that HTTP/2 cannot say: the request must not look whole without them.
      this.broke(cause instanceof Error ? cause : new Error(String(cause)))
    }
  }

  /** Nobody reads the body any more. */
  stop(): void {
    if (this.over) return
    this.over = true
    this.source.cancel()
  }
}

/** Told what becomes of a response's body. */
export interface ResponseBodyOwner {
  readonly bodyIsWhole: boolean
  bodyHeard(): void
  /** Its reader wants no more of it. */
  bodyCancelled(): void
  /** It ended too early. */
  bodyCut(): void
}

/** The body of a response: given on as it comes, held back by the stream's window when its reader is slow. */
export class ResponseBody implements BodySource {
  readonly bodyBytes: number | undefined
  private readonly stream: ClientHttp2Stream
  private readonly owner: ResponseBodyOwner
  private receivedBytes = 0
  private sink: BodySink | undefined
  private trailers: Fields | undefined
  private failure: Error | undefined
  over = false

  constructor(stream: ClientHttp2Stream, bodyBytes: number | undefined, owner: ResponseBodyOwner) {
    this.stream = stream
    this.bodyBytes = bodyBytes
    this.owner = owner
  }

  flow(sink: BodySink): void {
    this.sink = sink
    if (this.failure !== undefined) {
      sink.fail(this.failure)
      return
    }
    this.stream.on('end', () => this.ended(sink))
    this.stream.on('data', (bytes: Buffer) => {
      if (this.over) return
      this.owner.bodyHeard()
      this.receivedBytes += bytes.length
      if (!sink.chunk(bytes)) this.stream.pause()
    })
  }

  resume(): void {
    if (!this.over) this.stream.resume()
  }

  cancel(): void {
    if (this.over) return
    this.over = true
    this.owner.bodyCancelled()
  }

  takeTrailers(trailers: Fields): void {
    this.trailers = trailers
  }

  /** It broke off. A reader that comes later learns it then. */
  fail(cause: Error): void {
    if (this.over) return
    this.over = true
    this.failure = cause
    this.sink?.fail(cause)
  }

  /** Ends without a word to the reader. */
  drop(): void {
    this.over = true
  }

  private ended(sink: BodySink): void {
    if (this.over) return
    if (!this.owner.bodyIsWhole || (this.bodyBytes !== undefined && this.receivedBytes !== this.bodyBytes)) {
      this.owner.bodyCut()
      return
    }
    this.over = true
    sink.end(this.trailers)
  }
}
