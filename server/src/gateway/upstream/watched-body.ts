/** A body on its way through the walk, which sees when it last moved and whether it broke. */
import { performance } from 'node:perf_hooks'
import type { BodySink, BodySource } from '../../kernel/body.ts'
import { Fields } from '../../kernel/fields.ts'

export class WatchedBody implements BodySource, BodySink {
  readonly bodyBytes: number | undefined
  /** Monotonic milliseconds when bytes last came; while its reader is busy it does not count as standing still. */
  movedMs: number
  private readonly source: BodySource
  private readonly broke: ((cause: Error) => void) | undefined
  private readonly passes: ((name: string) => boolean) | undefined
  private sink: BodySink | undefined
  private over = false
  private blocked = false

  /** `passes` is asked for each trailer whether it may go on. */
  constructor(
    source: BodySource,
    nowMs: number,
    passes: ((name: string) => boolean) | undefined,
    broke?: (cause: Error) => void,
  ) {
    this.source = source
    this.passes = passes
    this.bodyBytes = source.bodyBytes
    this.movedMs = nowMs
    this.broke = broke
  }

  /** For how long nothing came that was asked for. */
  idleMs(nowMs: number): number {
    return this.over || this.blocked || this.sink === undefined ? 0 : nowMs - this.movedMs
  }

  /** For how long its reader has taken nothing. */
  blockedMs(nowMs: number): number {
    return this.over || !this.blocked ? 0 : nowMs - this.movedMs
  }

  /** Since when it has not moved, for whatever reason; Infinity once it has ended. */
  quietMs(nowMs: number): number {
    return this.over ? Infinity : nowMs - this.movedMs
  }

  flow(sink: BodySink): void {
    this.sink = sink
    this.source.flow(this)
  }

  resume(): void {
    this.blocked = false
    this.movedMs = performance.now()
    this.source.resume()
  }

  cancel(): void {
    this.over = true
    this.source.cancel()
  }

  chunk(bytes: Uint8Array): boolean {
    this.movedMs = performance.now()
    const flowing = this.sink?.chunk(bytes) ?? true
    this.blocked = !flowing
    return flowing
  }

  get isThrough(): boolean {
    return this.sink?.isThrough === true
  }

  end(trailers: Fields | undefined): void {
    this.over = true
    this.sink?.end(trailers === undefined || this.passes === undefined ? trailers : keepOf(trailers, this.passes))
  }

  fail(cause: Error): void {
    this.over = true
    this.broke?.(cause)
    this.sink?.fail(cause)
  }
}

function keepOf(trailers: Fields, passes: (name: string) => boolean): Fields {
  const kept = new Fields()
  for (const [at, name] of trailers.names.entries()) if (passes(name)) kept.append(name, trailers.values[at] ?? '')
  return kept
}
