/** One exchange on an HTTP/2 stream: its request came whole or still comes, its answer goes out by the same stream. */
import { constants, type ServerHttp2Stream } from 'node:http2'
import { isBodySource, type Body, type BodySink, type BodySource } from '../../kernel/body.ts'
import type { Peer } from '../../kernel/exchange.ts'
import type { Fields } from '../../kernel/fields.ts'
import { Problem } from '../../kernel/problem.ts'
import type { Carrier, Gateway, Passage } from '../carrier.ts'
import { Deadline } from '../http1/deadline.ts'
import { toExchange } from '../to-exchange.ts'
import { toAnswerSection, toFieldRecord } from './answer-section.ts'
import { parseRequestSection } from './request-section.ts'
import { StreamBody } from './request-body.ts'

export class ServerStream implements Carrier, BodySink {
  private readonly stream: ServerHttp2Stream
  private readonly gateway: Gateway
  private readonly deadline: Deadline
  private passage: Passage | undefined
  private body: StreamBody | undefined
  private source: BodySource | undefined
  private trailers: Fields | undefined
  private isHead = false
  private isTunnel = false
  private sentBytes = 0
  private over = false
  private early: { readonly bytes: number; readonly cause: Error | undefined } | undefined

  constructor(stream: ServerHttp2Stream, gateway: Gateway) {
    this.stream = stream
    this.gateway = gateway
    this.deadline = new Deadline(gateway.limits)
    // The reason of a reset does not matter: 'close' follows and says that the client is gone.
    stream.on('error', () => undefined)
    stream.on('close', () => this.streamClosed())
    stream.on('drain', () => {
      this.deadline.writing(false)
      this.source?.resume()
    })
    stream.on('wantTrailers', () => stream.sendTrailers(toFieldRecord(this.trailers)))
  }

  begin(section: readonly string[], endsHere: boolean, peer: Peer): void {
    const { gateway, stream } = this
    const head = parseRequestSection(section, gateway.limits)
    if (head instanceof Problem) {
      this.open(gateway.refuse(head, peer, this))
      return
    }
    this.isHead = head.method === 'HEAD'
    this.isTunnel = head.upgrade !== undefined
    if (!endsHere) {
      const bodyBytes = head.bodyBytes > 0 ? head.bodyBytes : undefined
      const maxBytes = this.isTunnel ? Number.POSITIVE_INFINITY : gateway.limits.maxBodyBytes
      this.body = new StreamBody(stream, bodyBytes, maxBytes, () => {
        exchange.request.bodyEndedMs = performance.now()
        exchange.requestBytes = this.body?.receivedBytes ?? 0
      })
    }
    const exchange = toExchange(head, '2', peer, gateway, this.body)
    this.deadline.requestBegan(exchange.startedMs, this.body !== undefined && !this.isTunnel)
    this.open(gateway.begin(exchange, this))
  }

  tick(nowMs: number): void {
    this.passage?.tick(nowMs)
    const verdict = this.deadline.check(nowMs, this.isTunnel || this.body?.done === true ? undefined : this.body)
    if (verdict === 'slow-body') this.body?.fail(this.deadline.slowBody())
    else if (verdict === 'stalled') this.stream.close(constants.NGHTTP2_CANCEL)
  }

  inform(status: number, fields: Fields): void {
    if (!this.stream.headersSent && !this.stream.destroyed) this.stream.additionalHeaders({ ':status': status, ...toFieldRecord(fields) })
  }

  answer(status: number, fields: Fields, body: Body): void {
    const { stream } = this
    if (stream.destroyed || stream.closed) return
    // RFC 8441 §5: what is a 101 in HTTP/1.1 is a 200 here.
    const sent = status === 101 ? 200 : status
    const bodyless = this.isHead || status === 204 || status === 304
    if (bodyless || !isBodySource(body)) {
      if (isBodySource(body)) body.cancel()
      const bytes = bodyless || !(body instanceof Uint8Array) ? undefined : body
      const length = bodyless ? undefined : (bytes?.length ?? 0)
      stream.respond(toAnswerSection(sent, fields, length), { endStream: bytes === undefined || bytes.length === 0 })
      if (bytes !== undefined && bytes.length > 0) stream.end(bytes)
      this.finish(bytes?.length ?? 0, undefined)
      return
    }
    this.source = body
    stream.respond(toAnswerSection(sent, fields, status === 101 ? undefined : body.bodyBytes), { waitForTrailers: true })
    if (status === 101) this.deadline.tunnel()
    body.flow(this)
  }

  reset(): void {
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  chunk(bytes: Uint8Array): boolean {
    if (this.stream.destroyed) return true
    this.sentBytes += bytes.length
    const flowing = this.stream.write(bytes)
    if (!flowing) this.deadline.writing(true)
    return flowing
  }

  end(trailers: Fields | undefined): void {
    this.trailers = trailers
    this.stream.end()
    this.finish(this.sentBytes, undefined)
  }

  fail(cause: Error): void {
    this.finish(this.sentBytes, cause)
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  /** `begin` and `refuse` may have answered before they return; then the passage is over already. */
  private open(passage: Passage): void {
    this.passage = passage
    if (this.early !== undefined) this.finish(this.early.bytes, this.early.cause)
  }

  private finish(bytes: number, cause: Error | undefined): void {
    if (this.over) return
    if (this.passage === undefined) {
      this.early = { bytes, cause }
      return
    }
    this.over = true
    this.source = undefined
    const { body, stream, passage } = this
    this.passage = undefined
    passage.ended(bytes, cause)
    if (body === undefined || body.done) return
    // The answer is whole before the request is: the client is asked to stop sending (RFC 9113 §8.1).
    body.cancel()
    stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR))
  }

  private streamClosed(): void {
    const { passage, source, body } = this
    this.passage = undefined
    this.source = undefined
    if (this.over) return
    this.over = true
    passage?.clientLeft()
    source?.cancel()
    body?.fail(CLIENT_LEFT)
  }
}

const CLIENT_LEFT = new Error('The client reset the stream.')
