/**
 * What the upstream walk asks of a client, whatever carries the request: the HTTP/1.1 pool and the HTTP/2 sessions of
 * a target both implement `UpstreamClient`, so the walk never knows which one it talks to.
 */
import type { Body, BodySource } from '../../kernel/body.ts'
import type { Fields } from '../../kernel/fields.ts'
import type { ForwardedExchange } from './forwarded-fields.ts'

export interface UpstreamRequest {
  readonly method: string
  /** Path with its query, as it goes on the wire. */
  readonly path: string
  /** Value of `Host` or `:authority`. */
  readonly authority: string
  readonly scheme: 'http' | 'https'
  /** Without the fields of a connection (RFC 9110 §7.6.1), `host` and `content-length`, which the client writes. */
  readonly fields: Fields
  /** Whose way is told behind `fields` (see `forwarded-fields.ts`); undefined: nothing is told. */
  readonly forwarded: ForwardedExchange | undefined
  readonly body: BodySource | Uint8Array | undefined
  /** A tunnel is asked for: the request's body is its way up, the body of the 101 its way down. */
  readonly upgrade: 'websocket' | undefined
  /** Trailers are welcome: `te: trailers` is written. */
  readonly acceptsTrailers: boolean
}

/**
 * Told what comes back. `head` or `fail` is called exactly once, unless the call was cancelled before; what breaks
 * after `head` goes to the sink of the response's body, as an `UpstreamError` too.
 */
export interface UpstreamReceiver {
  /** An interim response (RFC 9110 §15.2) other than 100 and 101. */
  informational(status: number, fields: Fields): void
  /**
   * The final response, its fields without those of a connection. `content-length` stays among them only when there is
   * no body (HEAD, 304); otherwise the body knows its length. An agreed upgrade is a 101 over HTTP/2 as well, its body
   * the way down.
   */
  head(status: number, fields: Fields, body: Body): void
  fail(error: UpstreamError): void
}

/** One request under way. */
export interface UpstreamCall {
  /** Ends it whatever its state; neither the receiver nor the sink of the response's body is called any more. */
  cancel(): void
  /** Ends it the same way but fails whoever waits, the receiver or the sink; the walk's timeouts do this. */
  abort(kind: UpstreamErrorKind, message: string): void
}

/** All connections to one target from one thread. The connect timeout is the client's, all others are the walk's. */
export interface UpstreamClient {
  /** May call the receiver before it returns. Never throws. */
  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamCall
  /** Takes no new request, closes idle connections now and the others when their exchanges have ended. */
  close(): void
}

/**
 * `connect`, `connect-timeout` and `tls`: no connection came about. `full`: no place in the pool. `timeout`: an answer
 * took too long. `reset`: the connection or stream broke. `protocol`: the target broke the rules of HTTP.
 * `request-body`: the body of the request broke off, which is not the target's fault.
 */
export type UpstreamErrorKind =
  | 'connect'
  | 'connect-timeout'
  | 'tls'
  | 'full'
  | 'timeout'
  | 'reset'
  | 'protocol'
  | 'request-body'

/**
 * How much of the request can have reached the target. `unprocessed`: it may have been sent, but the target said that
 * it did nothing with it (HTTP/2 REFUSED_STREAM, or GOAWAY with a lower last stream; RFC 9113 §8.7).
 */
export type SentState = 'nothing' | 'some' | 'unprocessed'

export class UpstreamError extends Error {
  readonly kind: UpstreamErrorKind
  readonly sent: SentState

  constructor(kind: UpstreamErrorKind, sent: SentState, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'UpstreamError'
    this.kind = kind
    this.sent = sent
  }
}
