/** One request to a target on an HTTP/2 stream: waiting for a connection first, then under way, then over. */
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { isBodySource } from '../../kernel/body.ts'
import {
  type SentState,
  type UpstreamCall,
  UpstreamError,
  type UpstreamErrorKind,
  type UpstreamReceiver,
  type UpstreamRequest,
} from '../upstream/client.ts'
import { RequestBody, ResponseBody, type ResponseBodyOwner } from './client-bodies.ts'
import { addWebSocketAccept, parseFields, parseResponseSection, toRequestSection } from './client-fields.ts'
import { nodeHttp2 } from './node-http2.ts'

/** A target that sends interim responses without end is broken. */
const MAX_INTERIM = 16

/** What a call needs of the connection that carries it. */
export interface CallCarrier {
  /** Something came from the target. */
  heard(): void
  /** The stream of a call is closed. */
  ended(): void
  /** An answer did not come in time: is the target still there at all? */
  doubt(): void
  /** Whether the target said that it left this stream untouched (GOAWAY, RFC 9113 §6.8). */
  leftOut(streamId: number): boolean
}

export class Http2Call implements UpstreamCall, ResponseBodyOwner {
  private readonly request: UpstreamRequest
  private readonly receiver: UpstreamReceiver
  private readonly forget: (call: Http2Call) => void
  private carrier: CallCarrier | undefined
  private stream: ClientHttp2Stream | undefined
  private upload: RequestBody | undefined
  private body: ResponseBody | undefined
  private interimCount = 0
  /** The target has ended the stream, as it must behind a whole response. */
  bodyIsWhole = false
  /** The receiver has heard the outcome, or must not hear any. */
  private settled = false

  /** `forget` takes the call out of the queue in which it waits. */
  constructor(request: UpstreamRequest, receiver: UpstreamReceiver, forget: (call: Http2Call) => void) {
    this.request = request
    this.receiver = receiver
    this.forget = forget
  }

  /** Sends the request; false when it failed at once, true when `ended` will follow. */
  begin(session: ClientHttp2Session, carrier: CallCarrier): boolean {
    const { request } = this
    if (request.upgrade !== undefined && session.remoteSettings.enableConnectProtocol !== true) {
      this.fail(new UpstreamError('protocol', 'nothing', 'The target takes no WebSocket over HTTP/2 (RFC 8441 §3).'))
      return false
    }
    const { body } = request
    const source = body !== undefined && isBodySource(body) ? body : undefined
    const bytes = body instanceof Uint8Array && body.length > 0 ? body : undefined
    const isTunnel = request.upgrade !== undefined
    let stream: ClientHttp2Stream
    try {
      const endStream = source === undefined && bytes === undefined && !isTunnel
      const waitForTrailers = source !== undefined && !isTunnel
      stream = session.request(toRequestSection(request), { endStream, waitForTrailers })
    } catch (cause) {
      this.fail(new UpstreamError('request-body', 'nothing', 'The request cannot be said in HTTP/2.', cause))
      return false
    }
    this.stream = stream
    this.carrier = carrier
    this.listen(stream, carrier)
    if (bytes !== undefined) stream.end(bytes)
    if (source !== undefined) {
      this.upload = new RequestBody(stream, source, (cause) => this.requestBroke(cause))
      stream.on('wantTrailers', () => this.upload?.sendTrailers())
      // The way up of a tunnel opens when the target has agreed to it.
      if (!isTunnel) this.upload.start()
    }
    return true
  }

  cancel(): void {
    this.settled = true
    this.body?.drop()
    this.end()
  }

  abort(kind: UpstreamErrorKind, message: string): void {
    const sent = this.stream === undefined ? 'nothing' : 'some'
    if (kind === 'timeout') this.carrier?.doubt()
    this.fail(new UpstreamError(kind, sent, message))
    this.end()
  }

  /** Tells whoever waits for the answer, once. */
  fail(error: UpstreamError): void {
    if (this.body !== undefined) this.body.fail(error)
    else if (!this.settled) {
      this.settled = true
      this.receiver.fail(error)
    }
  }

  bodyHeard(): void {
    this.carrier?.heard()
  }

  bodyCancelled(): void {
    this.end()
  }

  bodyCut(): void {
    if (this.bodyIsWhole) this.breach('The body is not as long as the target announced (RFC 9113 §8.1.1).')
    else {
      this.fail(new UpstreamError('reset', 'some', 'The target ended the stream in the midst of its answer.'))
      this.end()
    }
  }

  private listen(stream: ClientHttp2Stream, carrier: CallCarrier): void {
    stream.on('headers', (_record, _flags, section) => this.interim(section))
    stream.on('response', (_record, flags, section) => this.answered(stream, flags, section))
    stream.on('trailers', (_record, _flags, section) => this.trailed(section))
    // `node:http2` ends a stream that was reset without an error as if it were whole. Only at this moment the two can
    // be told apart: a stream that the target ended is not closed yet.
    const push = stream.push.bind(stream)
    stream.push = (bytes: unknown) => {
      if (bytes === null && !stream.closed) this.bodyIsWhole = true
      return push(bytes)
    }
    // What broke is told by `close`, which follows in any case.
    stream.on('error', () => undefined)
    stream.on('close', () => this.closed(stream, carrier))
  }

  private interim(section: readonly string[]): void {
    this.carrier?.heard()
    if (this.settled) return
    const parsed = parseResponseSection(section)
    if (typeof parsed === 'string') this.breach(parsed)
    else if (++this.interimCount > MAX_INTERIM) this.breach('There is no end of interim responses.')
    else this.receiver.informational(parsed.status, parsed.fields)
  }

  private answered(stream: ClientHttp2Stream, flags: number, section: readonly string[]): void {
    this.carrier?.heard()
    if (this.settled) return
    const parsed = parseResponseSection(section)
    if (typeof parsed === 'string') {
      this.breach(parsed)
      return
    }
    this.settled = true
    const { request, receiver } = this
    const { status, fields, bodyBytes } = parsed
    if ((flags & nodeHttp2().constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      if (bodyBytes !== undefined && (request.method === 'HEAD' || status === 304)) {
        fields.append('content-length', String(bodyBytes))
      }
      stream.resume()
      receiver.head(status, fields, undefined)
      return
    }
    this.body = new ResponseBody(stream, bodyBytes, this)
    if (request.upgrade === undefined || status < 200 || status > 299) {
      receiver.head(status, fields, this.body)
      return
    }
    addWebSocketAccept(request, fields)
    receiver.head(101, fields, this.body)
    this.upload?.start()
  }

  private trailed(section: readonly string[]): void {
    this.carrier?.heard()
    const trailers = parseFields(section)
    if (typeof trailers === 'string') this.breach(trailers)
    else this.body?.takeTrailers(trailers)
  }

  private requestBroke(cause: Error): void {
    this.fail(new UpstreamError('request-body', 'some', 'The body of the request broke off.', cause))
    this.end()
  }

  private breach(message: string): void {
    this.fail(new UpstreamError('protocol', 'some', message))
    this.end(nodeHttp2().constants.NGHTTP2_PROTOCOL_ERROR)
  }

  /** Ends the stream from this side; the target may forget the request (RFC 9113 §5.4.2). */
  private end(code: number = nodeHttp2().constants.NGHTTP2_CANCEL): void {
    const { stream } = this
    if (stream === undefined) this.forget(this)
    else if (!stream.closed) stream.close(code)
    this.upload?.stop()
  }

  private closed(stream: ClientHttp2Stream, carrier: CallCarrier): void {
    this.upload?.stop()
    carrier.ended()
    if (this.body === undefined ? this.settled : this.body.over) return
    const code = stream.rstCode ?? 0
    const text = `The target ended the stream in the midst of the exchange (HTTP/2 error ${code}).`
    this.fail(new UpstreamError(toKind(code), toSentState(stream, code, carrier), text))
  }
}

/** How much of a request that was closed with this code can have had an effect (RFC 9113 §8.7). */
function toSentState(stream: ClientHttp2Stream, code: number, carrier: CallCarrier): SentState {
  // Without an id it never left: the connection was gone already.
  if (stream.id === undefined) return 'nothing'
  return code === nodeHttp2().constants.NGHTTP2_REFUSED_STREAM || carrier.leftOut(stream.id) ? 'unprocessed' : 'some'
}

/** Which errors of RFC 9113 §7 say that the rules were broken; all others only say that the stream is no more. */
function toKind(code: number): UpstreamErrorKind {
  switch (code) {
    case nodeHttp2().constants.NGHTTP2_PROTOCOL_ERROR:
    case nodeHttp2().constants.NGHTTP2_FLOW_CONTROL_ERROR:
    case nodeHttp2().constants.NGHTTP2_FRAME_SIZE_ERROR:
    case nodeHttp2().constants.NGHTTP2_COMPRESSION_ERROR:
    case nodeHttp2().constants.NGHTTP2_HTTP_1_1_REQUIRED:
      return 'protocol'
    default:
      return 'reset'
  }
}
