/**
 * One HTTP/1.1 connection to a target: one request at a time, its response read as strictly as a client's request.
 * Bytes that nobody asked for, before, between or after responses, end the connection: they belong to an answer that
 * would otherwise reach the wrong caller.
 */
import type { Socket } from 'node:net'
import { isBodySource } from '../../kernel/body.ts'
import { Problem } from '../../kernel/problem.ts'
import { UpstreamError, type SentState, type UpstreamRequest } from '../upstream/client.ts'
import type { Http1Call, Http1Client } from './client.ts'
import { IncomingBody } from './incoming-body.ts'
import { Outbox } from './outbox.ts'
import { OutgoingBody } from './outgoing-body.ts'
import { LastSection } from './last-section.ts'
import { findHeadEnd, parseResponseHead, UNTIL_CLOSE, type HeadLimits, type ResponseHead } from './parse.ts'
import { toRequestHead, writeMessage } from './write.ts'

/** A head that comes back may be this long, and carry this many fields. */
export const RESPONSE_LIMITS: HeadLimits = { maxHeadBytes: 65_536, maxFields: 256, maxTargetBytes: 0 }
const BODY_LIMITS = {
  maxBodyBytes: Number.POSITIVE_INFINITY,
  maxTrailerBytes: 65_536,
  maxFields: 256,
  isResponse: true,
}
/** Bytes of a response that its reader cannot take yet, before the socket is paused. */
const KEPT_BYTES = 65_536
/** A target that sends interim responses without end is broken. */
const MAX_INTERIM = 16

export class ClientConnection {
  private readonly socket: Socket
  private readonly outbox: Outbox
  private readonly client: Http1Client
  private call: Http1Call | undefined
  private readonly last = new LastSection()
  private pending: Buffer | undefined
  private scannedBytes = 0
  private interim = 0
  private consuming = false
  private paused = false
  private closed = false
  private ended = false
  private headSeen = false
  private reusable = false
  private body: IncomingBody | undefined
  private outgoing: OutgoingBody | undefined
  /** When it was last given back, for the pool's idle limit. */
  idleSinceMs = 0

  constructor(socket: Socket, client: Http1Client) {
    this.socket = socket
    this.outbox = new Outbox(socket)
    this.client = client
    socket.on('end', () => this.targetEnded())
    socket.on('close', () => this.targetEnded())
    socket.on('error', (cause: Error) => this.fail(cause))
    socket.on('drain', () => this.outgoing?.drained())
  }

  get busy(): boolean {
    return this.call !== undefined
  }

  get usable(): boolean {
    return !this.closed && !this.socket.destroyed
  }

  /** A body that streams may have begun to flow, which cannot be repeated. */
  private get sent(): SentState {
    return this.outbox.isHolding && !isBodySource(this.call?.request.body) ? 'nothing' : 'some'
  }

  start(call: Http1Call): void {
    const { request } = call
    this.call = call
    this.headSeen = false
    this.reusable = false
    this.interim = 0
    const { body } = request
    if (!isBodySource(body) || request.upgrade !== undefined) {
      const bytes = body instanceof Uint8Array ? body : undefined
      writeMessage(this.outbox, toRequestHead(request, bytes?.length, false), bytes)
      return
    }
    const chunked = body.bodyBytes === undefined
    writeMessage(this.outbox, toRequestHead(request, body.bodyBytes, chunked), undefined)
    this.outgoing = new OutgoingBody(this.outbox, body, chunked, this)
    this.outgoing.start()
  }

  receive(bytes: Buffer, end: number, volatile: boolean): void {
    if (this.closed) return
    if (this.call === undefined) {
      this.destroy()
      return
    }
    if (this.outbox.isHolding) {
      // The request waits here, so this answers none; the next caller would get what answers the request.
      this.abort(new UpstreamError('reset', this.sent, 'The target answered before it was asked.'))
      return
    }
    if (this.pending === undefined) {
      this.feed(bytes, end, volatile)
      return
    }
    const joined = Buffer.concat([this.pending, bytes.subarray(0, end)])
    this.pending = undefined
    this.feed(joined, joined.length, false)
  }

  /** Ends the call without a word to its receiver. The connection cannot be used again: its answer is unread. */
  cancel(): void {
    this.call = undefined
    const { outgoing, body } = this
    this.body = undefined
    this.outgoing = undefined
    outgoing?.stop()
    body?.cancel()
    this.destroy()
  }

  /** Ends the call and tells whoever waits for it. */
  abort(error: UpstreamError): void {
    const { call, body, headSeen, outgoing } = this
    this.call = undefined
    this.body = undefined
    this.outgoing = undefined
    this.destroy()
    outgoing?.stop()
    if (headSeen) body?.fail(error)
    else call?.receiver.fail(error)
  }

  destroy(): void {
    this.closed = true
    this.last.forget()
    this.socket.destroy()
    this.client.lost(this)
  }

  bodySent(): void {
    this.outgoing = undefined
  }

  bodyBroke(cause: Error): void {
    this.outgoing = undefined
    this.abort(new UpstreamError('request-body', 'some', 'The body of the request broke off.', cause))
  }

  bodyFlows(): void {
    this.goOn()
  }

  bodyCancelled(): void {
    this.cancel()
  }

  private feed(bytes: Buffer, end: number, volatile: boolean): void {
    this.consuming = true
    const at = this.consume(bytes, end, volatile)
    this.consuming = false
    if (this.closed || at >= end) return
    this.pending = volatile ? Buffer.from(bytes.subarray(at, end)) : bytes.subarray(at, end)
    if (this.pending.length > KEPT_BYTES && !this.paused) {
      this.paused = true
      this.socket.pause()
    }
  }

  private consume(bytes: Buffer, end: number, volatile: boolean): number {
    let at = 0
    while (at < end && !this.closed) {
      const { body } = this
      let next: number
      if (body !== undefined) {
        next = body.push(bytes, at, end, volatile)
        if (body.done) this.responseEnded(body, end - next)
        else if (next === at) return at
      } else if (this.call === undefined) {
        this.destroy()
        return end
      } else {
        next = this.readHead(bytes, at, end, volatile)
        if (next === at) return at
      }
      at = next
    }
    return at
  }

  private goOn(): void {
    if (this.consuming || this.closed) return
    const kept = this.pending
    if (kept !== undefined) {
      this.pending = undefined
      this.feed(kept, kept.length, false)
    }
    if (this.ended && this.pending === undefined) this.targetEnded()
    if (this.paused && this.pending === undefined && !this.closed) {
      this.paused = false
      this.socket.resume()
    }
  }

  private readHead(bytes: Buffer, start: number, end: number, volatile: boolean): number {
    const headEnd = this.findHeadEnd(bytes, start, end)
    if (headEnd === -1) {
      this.scannedBytes = end - start
      if (this.scannedBytes > RESPONSE_LIMITS.maxHeadBytes) this.breach('The head of the response is too long.')
      return start
    }
    this.scannedBytes = 0
    const { call } = this
    if (call === undefined) return end
    const { request } = call
    const head = parseResponseHead(
      bytes,
      start,
      headEnd,
      RESPONSE_LIMITS,
      request.method,
      request.upgrade !== undefined,
      this.last,
    )
    if (head instanceof Problem) {
      this.breach(head.detail ?? 'The response is malformed.')
      return end
    }
    if (head.status < 200 && head.status !== 101) {
      if (++this.interim > MAX_INTERIM) this.breach('There is no end of interim responses.')
      else if (head.status !== 100) call.receiver.informational(head.status, head.fields)
      return headEnd
    }
    return this.readBody(call, head, bytes, headEnd, end, volatile)
  }

  private findHeadEnd(bytes: Buffer, start: number, end: number): number {
    const { scannedBytes } = this
    const known = scannedBytes === 0 ? this.last.findHeadEnd(bytes, start, end) : -1
    return known === -1 ? findHeadEnd(bytes, start, Math.max(start, start + scannedBytes - 3), end) : known
  }

  /** The head is there: hands it on together with its body, whole when it is here already. */
  private readBody(
    call: Http1Call,
    head: ResponseHead,
    bytes: Buffer,
    headEnd: number,
    end: number,
    volatile: boolean,
  ): number {
    this.headSeen = true
    this.reusable = head.keepAlive && head.bodyBytes !== UNTIL_CLOSE && this.outgoing === undefined
    if (head.bodyBytes >= 0 && head.bodyBytes <= end - headEnd && head.status !== 101) {
      const bodyEnd = headEnd + head.bodyBytes
      const body = head.bodyBytes === 0 ? undefined : copyOf(bytes, headEnd, bodyEnd, volatile)
      this.release(call, end - bodyEnd)
      call.receiver.head(head.status, head.fields, body)
      return end
    }
    const body = new IncomingBody(this, head.status === 101 ? UNTIL_CLOSE : head.bodyBytes, BODY_LIMITS)
    this.body = body
    if (head.status === 101) this.openTunnel(call.request)
    call.receiver.head(head.status, head.fields, body)
    return headEnd
  }

  private openTunnel(request: UpstreamRequest): void {
    if (!isBodySource(request.body)) return
    this.outgoing = new OutgoingBody(this.outbox, request.body, false, {
      bodySent: () => this.outbox.end(),
      bodyBroke: () => this.destroy(),
    })
    // The way up opens once the answer's head is on its way down, so that the client may begin to send.
    const { outgoing } = this
    queueMicrotask(() => outgoing.start())
  }

  private responseEnded(body: IncomingBody, extraBytes: number): void {
    if (this.body !== body) return
    if (body.failed) this.reusable = false
    this.body = undefined
    if (this.call !== undefined) this.release(this.call, extraBytes)
  }

  private release(call: Http1Call, extraBytes: number): void {
    this.call = undefined
    call.done()
    const { outgoing } = this
    this.outgoing = undefined
    outgoing?.stop()
    if (this.reusable && extraBytes === 0 && this.usable) this.client.released(this)
    else this.destroy()
  }

  private breach(message: string): void {
    this.abort(new UpstreamError('protocol', 'some', message))
  }

  /** A FIN, or the socket's end: right for a body until close, a breach for everything else. */
  private targetEnded(): void {
    if (this.closed) return
    this.ended = true
    // What is kept still has to be read; `goOn` comes back here when it was.
    if (this.pending !== undefined && this.body !== undefined) return
    const { body } = this
    if (body === undefined) {
      this.fail(undefined)
      return
    }
    body.connectionEnded(
      new UpstreamError('reset', 'some', 'The target closed the connection in the midst of its answer.'),
    )
    this.responseEnded(body, 0)
  }

  private fail(cause: Error | undefined): void {
    if (this.closed) return
    const code = cause !== undefined && 'code' in cause ? String(cause.code) : 'closed'
    const message = `The connection broke before the answer was whole (${code}).`
    this.abort(new UpstreamError('reset', this.sent, message, cause))
  }
}

function copyOf(bytes: Buffer, start: number, end: number, volatile: boolean): Uint8Array {
  if (!volatile) return bytes.subarray(start, end)
  const copy = Buffer.allocUnsafe(end - start)
  bytes.copy(copy, 0, start, end)
  return copy
}
