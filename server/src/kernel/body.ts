/**
 * A message body as it moves through the gateway: pushed by a source, taken by one sink, with back-pressure.
 *
 * Node's streams would do the same at several microseconds a message; a body here is two objects and plain calls.
 * HTTP/1.1 and HTTP/2 sides both speak it, so neither knows of the other.
 */
import type { Fields } from './fields.ts'

export interface BodySink {
  /** Takes bytes, which are the sink's from now on. Returns false to ask the source to wait for `resume`. */
  chunk(bytes: Uint8Array): boolean
  /** True when nothing of what it took is held any more, so that its memory can be used again; who keeps bytes has none. */
  readonly isThrough?: boolean
  /** The body is whole. */
  end(trailers: Fields | undefined): void
  /** The body broke off; nothing more comes. */
  fail(cause: Error): void
}

export interface BodySource {
  /** Length in bytes when the message said so, undefined when only the end will tell. */
  readonly bodyBytes: number | undefined
  /** Starts the flow into the one sink that a body has. Chunks may arrive before this call returns. */
  flow(sink: BodySink): void
  /** Goes on after a `chunk` that returned false. */
  resume(): void
  /** The sink wants no more: the source frees what it holds and calls the sink no further. */
  cancel(): void
}

/** What a reply carries: nothing, bytes that are all here, or bytes that still come. */
export type Body = Uint8Array | BodySource | undefined

export function isBodySource(body: Body): body is BodySource {
  return body !== undefined && 'flow' in body
}
