/** The body of a request on an HTTP/2 stream; its window holds the client back while nobody takes the bytes. */
import type { ServerHttp2Stream } from 'node:http2'
import type { BodySink, BodySource } from '../../kernel/body.ts'
import { BodyProblem } from '../../kernel/body-problem.ts'
import { Fields } from '../../kernel/fields.ts'
import { isTrailerAllowed } from '../http1/field-names.ts'
import { isFieldValue } from '../http1/grammar.ts'
import { bodyTooLarge } from '../http1/problems.ts'

export class StreamBody implements BodySource {
  readonly bodyBytes: number | undefined
  receivedBytes = 0
  done = false
  cancelled = false
  private readonly stream: ServerHttp2Stream
  private readonly maxBytes: number
  private readonly ended: () => void
  private sink: BodySink | undefined
  private trailers: Fields | undefined

  constructor(stream: ServerHttp2Stream, bodyBytes: number | undefined, maxBytes: number, ended: () => void) {
    this.stream = stream
    this.bodyBytes = bodyBytes
    this.maxBytes = maxBytes
    this.ended = ended
    stream.on('trailers', (_record, _flags, section: readonly string[]) => (this.trailers = toTrailers(section)))
  }

  get wanted(): boolean {
    return this.sink !== undefined && !this.stream.isPaused()
  }

  flow(sink: BodySink): void {
    this.sink = sink
    this.stream.on('data', (bytes: Buffer) => this.take(bytes))
    this.stream.on('end', () => {
      if (this.done) return
      this.done = true
      this.ended()
      sink.end(this.trailers)
    })
  }

  resume(): void {
    this.stream.resume()
  }

  cancel(): void {
    if (this.done) return
    this.cancelled = true
    this.done = true
    this.stream.resume()
  }

  fail(cause: Error): void {
    if (this.done) return
    this.done = true
    this.sink?.fail(cause)
  }

  private take(bytes: Buffer): void {
    if (this.done) return
    this.receivedBytes += bytes.length
    if (this.receivedBytes > this.maxBytes) {
      this.fail(new BodyProblem(bodyTooLarge({ detail: `The body is longer than ${this.maxBytes} bytes.` })))
    } else if (this.sink?.chunk(bytes) === false) this.stream.pause()
  }
}

/** Trailers with pseudo fields or line breaks are no trailers (RFC 9113 §8.1). */
function toTrailers(section: readonly string[]): Fields | undefined {
  const fields = new Fields()
  for (let i = 0; i < section.length; i += 2) {
    const name = section[i] ?? ''
    const value = section[i + 1] ?? ''
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || !isFieldValue(value) || !isTrailerAllowed(name)) continue
    fields.append(name, value)
  }
  return fields
}
