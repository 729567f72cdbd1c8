import { BodyProblem } from '../../kernel/body-problem.ts'
import type { BodySink, BodySource } from '../../kernel/body.ts'
import type { Fields } from '../../kernel/fields.ts'
import type { Problem } from '../../kernel/problem.ts'

/**
 * A body of unannounced length that breaks off once it exceeds its limit. By then an upstream may have seen its
 * beginning, but never its end: the broken body cancels the call, so nothing takes it for whole.
 */
export class CountedBody implements BodySource, BodySink {
  readonly bodyBytes = undefined
  private readonly source: BodySource
  private readonly refuse: () => Problem
  private leftBytes: number
  private sink: BodySink | undefined = undefined

  constructor(source: BodySource, limitBytes: number, refuse: () => Problem) {
    this.source = source
    this.leftBytes = limitBytes
    this.refuse = refuse
  }

  flow(sink: BodySink): void {
    this.sink = sink
    this.source.flow(this)
  }

  resume(): void {
    this.source.resume()
  }

  cancel(): void {
    this.sink = undefined
    this.source.cancel()
  }

  chunk(bytes: Uint8Array): boolean {
    this.leftBytes -= bytes.length
    if (this.leftBytes >= 0) return this.sink?.chunk(bytes) ?? false
    const sink = this.sink
    this.cancel()
    sink?.fail(new BodyProblem(this.refuse()))
    return false
  }

  end(trailers: Fields | undefined): void {
    this.sink?.end(trailers)
  }

  fail(cause: Error): void {
    this.sink?.fail(cause)
  }
}
