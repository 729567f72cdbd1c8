/** One exchange on an HTTP/2 stream: its request came whole or still comes, its answer goes out by the same stream. */
import { isBodySource, type Body, type BodySink, type BodySource } from '../../kernel/body.ts'
import { BodyProblem } from '../../kernel/body-problem.ts'
import type { Exchange, Peer } from '../../kernel/exchange.ts'
import { Fields } from '../../kernel/fields.ts'
import type { Problem } from '../../kernel/problem.ts'
import type { Carrier, Gateway, Passage } from '../carrier.ts'
import { Deadline } from '../http1/deadline.ts'
import { malformedRequest } from '../http1/problems.ts'
import { toExchange } from '../to-exchange.ts'
import { CANCEL, END_STREAM, INTERNAL_ERROR, MAX_WINDOW_BYTES, NO_ERROR, PROTOCOL_ERROR } from './frames.ts'
import type { HpackEncoder } from './hpack-encoder.ts'
import { ReceiveWindow } from './receive-window.ts'
import { StreamBody, type StreamBodyOwner } from './request-body.ts'
import type { RequestSection } from './request-section.ts'
import type { Sender, SendingStream } from './sender.ts'
import { toSectionFrames } from './write-frames.ts'

/** What one client may have under way to us before its stream is taken: enough for a fast upload over a long line. */
export const STREAM_WINDOW_BYTES = 1_048_576
/** Bytes of an answer that wait for a window or the socket before its source has to. */
const QUEUED_BYTES = 65_536

const wrongLength = malformedRequest({ detail: 'The body is not as long as Content-Length says (RFC 9113 §8.1.1).' })
const CLIENT_LEFT = new Error('The client reset the stream.')

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly gateway: Gateway
  readonly sender: Sender
  readonly encoder: HpackEncoder
  /** The stream is over; with a code the peer is told so. */
  streamOver(stream: ServerStream, code: number | undefined): void
  /** Body bytes were taken: windows open by them. */
  bodyTaken(stream: ServerStream, bytes: number): void
  /** Something of this stream waits to be written. */
  written(): void
}

export class ServerStream implements Carrier, BodySink, SendingStream, StreamBodyOwner {
  readonly id: number
  readonly window = new ReceiveWindow(STREAM_WINDOW_BYTES)
  sendWindow: number
  queuedBytes = 0
  /** The client sends no more on this stream. */
  remoteEnded: boolean
  private readonly host: StreamHost
  private passage: Passage | undefined
  private exchange: Exchange | undefined
  private deadline: Deadline | undefined
  private body: StreamBody | undefined
  private source: BodySource | undefined
  private sourceWaits = false
  private queue: Uint8Array[] | undefined
  private trailers: Fields | undefined
  private contentLength = -1
  private continueOwed = false
  private isHead = false
  private isTunnel = false
  private headSent = false
  /** The answer's source has given everything. */
  private answerEnded = false
  private sentBytes = 0
  private stalledAtBytes = -1
  private stalledSinceMs = 0
  private over = false
  /** What happened before `begin` of the gateway had returned its passage. */
  private early: { readonly bytes: number; readonly cause: Error | undefined } | 'left' | undefined
  /** With what code the stream is to be reset after its answer. */
  private closingCode: number | undefined

  constructor(id: number, host: StreamHost, sendWindow: number, remoteEnded: boolean) {
    this.id = id
    this.host = host
    this.sendWindow = sendWindow
    this.remoteEnded = remoteEnded
  }

  get isOver(): boolean {
    return this.over
  }

  get endsNext(): boolean {
    return this.answerEnded && !this.over
  }

  begin({ head, contentLength }: RequestSection, peer: Peer): void {
    const { gateway } = this.host
    const isWhole = this.remoteEnded
    if (isWhole && contentLength > 0) {
      this.refuse(wrongLength, peer)
      return
    }
    this.isHead = head.method === 'HEAD'
    this.isTunnel = head.upgrade !== undefined
    if (!isWhole) {
      this.contentLength = contentLength
      this.continueOwed = head.expectContinue
      const maxBytes = this.isTunnel ? Number.POSITIVE_INFINITY : gateway.limits.maxBodyBytes
      this.body = new StreamBody(this, contentLength > 0 ? contentLength : undefined, maxBytes, gateway.bodyRoom)
    }
    const exchange = toExchange(head, '2', peer, gateway, this.body)
    this.exchange = exchange
    if (!isWhole && !this.isTunnel) {
      this.deadline = new Deadline(gateway.limits)
      this.deadline.requestBegan(exchange.startedMs, true)
    }
    this.open(gateway.begin(exchange, this))
  }

  /** Answers what is no request; what is malformed is reset as well (RFC 9113 §8.1.1). */
  refuse(problem: Problem, peer: Peer): void {
    if (isMalformed(problem)) this.closingCode = PROTOCOL_ERROR
    this.open(this.host.gateway.refuse(problem, peer, this, '2'))
  }

  tick(nowMs: number): void {
    this.passage?.tick(nowMs)
    if (this.over) return
    const { deadline, body } = this
    // Once the answer has begun, the two ways are a conversation, which the upstream's idle timeout bounds.
    if (
      deadline !== undefined &&
      !this.headSent &&
      body?.done === false &&
      deadline.check(nowMs, body) === 'slow-body'
    ) {
      body.fail(deadline.slowBody())
    }
    // A client that takes nothing of its answer may not hold it for ever.
    if (this.queuedBytes === 0 || this.sentBytes !== this.stalledAtBytes) {
      this.stalledAtBytes = this.sentBytes
      this.stalledSinceMs = nowMs
    } else if (nowMs - this.stalledSinceMs > this.host.gateway.limits.idleMs) this.abort(CANCEL)
  }

  // What the client sends.

  data(bytes: Buffer, start: number, end: number, ends: boolean, volatile: boolean): void {
    const { body } = this
    if (end > start) {
      if (body === undefined) this.host.bodyTaken(this, end - start)
      else body.push(bytes, start, end, volatile)
    }
    if (this.over || body === undefined) {
      if (ends) this.remoteEnded = true
      return
    }
    const isTooLong = this.contentLength !== -1 && body.receivedBytes > this.contentLength
    if (ends) this.remoteEnd(undefined)
    else if (isTooLong) this.breach(wrongLength)
  }

  /** The client's side ends, with trailers or without. */
  remoteEnd(trailers: Fields | undefined): void {
    this.remoteEnded = true
    const { body } = this
    if (body === undefined) return
    if (this.contentLength !== -1 && body.receivedBytes !== this.contentLength) this.breach(wrongLength)
    else body.end(trailers)
  }

  /** The request turns out to be malformed while it is served: nobody takes it for whole (RFC 9113 §8.1.1). */
  breach(problem: Problem): void {
    this.closingCode = PROTOCOL_ERROR
    this.body?.fail(new BodyProblem(problem))
  }

  /** The client's window opens by so much; false when it would be larger than any may be. */
  widen(bytes: number): boolean {
    this.sendWindow += bytes
    if (this.sendWindow > MAX_WINDOW_BYTES) return false
    if (this.queuedBytes > 0 && this.headSent) this.host.sender.enqueue(this)
    return true
  }

  /** The client or the connection is gone: there is nobody to answer. */
  lost(): void {
    if (this.over) return
    this.over = true
    const { passage, source, body } = this
    this.forget()
    if (passage === undefined) this.early = 'left'
    else passage.clientLeft()
    source?.cancel()
    body?.fail(CLIENT_LEFT)
  }

  // What the gateway answers.

  inform(status: number, fields: Fields): void {
    if (this.headSent || this.over) return
    if (status === 100) this.continueOwed = false
    const { encoder, sender } = this.host
    sender.section(toSectionFrames(encoder.encodeAnswer(status, fields, undefined), 0, this.id))
    this.host.written()
  }

  answer(status: number, fields: Fields, own: Fields, body: Body): void {
    if (this.over) return
    own.names.forEach((name, i) => fields.append(name, own.values[i] ?? ''))
    const hasContent = !this.isHead && status !== 204 && status !== 304
    if (!isBodySource(body)) this.answerAtOnce(status, fields, hasContent ? (body ?? EMPTY) : undefined)
    else if (hasContent) this.answerFrom(body, status, fields)
    else {
      body.cancel()
      this.answerAtOnce(status, fields, undefined)
    }
    this.host.written()
  }

  reset(): void {
    this.abort(INTERNAL_ERROR)
  }

  // The answer's body as it comes from its source.

  chunk(bytes: Uint8Array): boolean {
    if (this.over || bytes.length === 0) return true
    this.queue ??= []
    this.queue.push(bytes)
    this.queuedBytes += bytes.length
    if (this.headSent) this.host.sender.enqueue(this)
    this.sourceWaits = this.queuedBytes > QUEUED_BYTES
    return !this.sourceWaits
  }

  end(trailers: Fields | undefined): void {
    if (this.over) return
    this.answerEnded = true
    this.source = undefined
    this.trailers = trailers !== undefined && trailers.size > 0 ? trailers : undefined
    if (this.headSent) this.host.sender.enqueue(this)
  }

  fail(cause: Error): void {
    if (this.over) return
    this.source = undefined
    this.finish(cause)
  }

  // What the sender asks for.

  sendNext(maxBytes: number): void {
    const { sender } = this.host
    const first = this.queue?.[0]
    if (first !== undefined) {
      const bytes = first.length <= maxBytes ? first : first.subarray(0, maxBytes)
      if (bytes === first) this.queue?.shift()
      else if (this.queue !== undefined) this.queue[0] = first.subarray(maxBytes)
      this.queuedBytes -= bytes.length
      this.sendWindow -= bytes.length
      this.sentBytes += bytes.length
      const isLast = this.answerEnded && this.queuedBytes === 0 && this.trailers === undefined
      sender.data(this.id, bytes, isLast)
      if (isLast) this.finish(undefined)
      else if (this.sourceWaits && this.queuedBytes === 0) {
        this.sourceWaits = false
        this.source?.resume()
      }
      return
    }
    if (!this.answerEnded) return
    if (this.trailers === undefined) sender.data(this.id, EMPTY, true)
    else sender.section(toSectionFrames(this.host.encoder.encodeTrailers(this.trailers), END_STREAM, this.id))
    this.finish(undefined)
  }

  // What the body of the request tells.

  bodyFlows(): void {
    if (!this.continueOwed || this.headSent || this.over) return
    this.inform(100, NO_FIELDS)
  }

  bodyTaken(bytes: number): void {
    this.host.bodyTaken(this, bytes)
  }

  bodyEnded(): void {
    if (this.exchange === undefined) return
    this.exchange.request.bodyEndedMs = performance.now()
    this.exchange.requestBytes = this.body?.receivedBytes ?? 0
  }

  private answerAtOnce(status: number, fields: Fields, bytes: Uint8Array | undefined): void {
    const { encoder, sender } = this.host
    const block = encoder.encodeAnswer(status, fields, bytes?.length)
    this.headSent = true
    if (bytes === undefined || bytes.length === 0) {
      sender.section(toSectionFrames(block, END_STREAM, this.id))
      this.finish(undefined)
      return
    }
    sender.section(toSectionFrames(block, 0, this.id))
    if (sender.mayPass(bytes.length, this.sendWindow)) {
      this.sentBytes = bytes.length
      sender.data(this.id, bytes, true)
      this.finish(undefined)
      return
    }
    this.chunk(bytes)
    this.sourceWaits = false
    this.end(undefined)
  }

  /** The source may give all it has while it is asked: then its end is known before the head goes out. */
  private answerFrom(body: BodySource, status: number, fields: Fields): void {
    this.source = body
    body.flow(this)
    if (this.over) return
    const { encoder, sender } = this.host
    // RFC 8441 §5: what is a 101 in HTTP/1.1 is a 200 here.
    const block = encoder.encodeAnswer(
      status === 101 ? 200 : status,
      fields,
      status === 101 ? undefined : body.bodyBytes,
    )
    const isAll = this.answerEnded && this.queuedBytes === 0 && this.trailers === undefined
    sender.section(toSectionFrames(block, isAll ? END_STREAM : 0, this.id))
    this.headSent = true
    if (isAll) this.finish(undefined)
    else if (this.queuedBytes > 0 || this.answerEnded) sender.enqueue(this)
  }

  /** `begin` and `refuse` may have answered before they return; then the passage is over already. */
  private open(passage: Passage): void {
    const { early } = this
    if (early === undefined) this.passage = passage
    else if (early === 'left') passage.clientLeft()
    else passage.ended(early.bytes, early.cause)
  }

  /** The answer is out, whole or broken. */
  private finish(cause: Error | undefined): void {
    this.over = true
    const { passage, body } = this
    this.forget()
    if (passage === undefined) this.early = { bytes: this.sentBytes, cause }
    else passage.ended(this.sentBytes, cause)
    body?.cancel()
    if (cause !== undefined) this.host.streamOver(this, this.closingCode ?? INTERNAL_ERROR)
    // The answer is whole before the request is: the client is asked to stop sending (RFC 9113 §8.1).
    else this.host.streamOver(this, this.closingCode ?? (this.remoteEnded ? undefined : NO_ERROR))
  }

  private abort(code: number): void {
    if (this.over) return
    this.lost()
    this.host.streamOver(this, code)
    this.host.written()
  }

  private forget(): void {
    this.passage = undefined
    this.source = undefined
    this.queue = undefined
    this.queuedBytes = 0
    this.host.sender.forget(this)
  }
}

const EMPTY = new Uint8Array(0)
const NO_FIELDS = new Fields()

function isMalformed({ definition }: Problem): boolean {
  return definition === malformedRequest.definition
}
