/**
 * One client's HTTP/1.1 connection: bytes in, exchanges one after the other, answers out in order (RFC 9112 §9.3).
 *
 * It reads on while an exchange is under way, into a bounded buffer, because a paused socket never tells that its
 * client has left. What comes next stands in `consume`; everything else only moves it on.
 */
import { performance } from 'node:perf_hooks'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { isBodySource, type Body } from '../../kernel/body.ts'
import type { Fields } from '../../kernel/fields.ts'
import { Problem } from '../../kernel/problem.ts'
import type { Exchange, Peer } from '../../kernel/exchange.ts'
import type { Carrier, Gateway, Passage } from '../carrier.ts'
import { toExchange } from '../to-exchange.ts'
import { IncomingBody } from './incoming-body.ts'
import { Outbox } from './outbox.ts'
import { OutgoingBody } from './outgoing-body.ts'
import { Deadline } from './deadline.ts'
import { HeadReader } from './head-reader.ts'
import { UNTIL_CLOSE, type RequestHead } from './parse.ts'
import { requestTimeout } from './problems.ts'
import { toAnswerHead, writeMessage } from './write.ts'

/** Bytes of pipelined requests, or of a body nobody takes, that are kept before the socket is paused. */
const KEPT_BYTES = 65_536
/** A body that nobody reads may be this long for its connection to be kept. */
const DROPPED_BYTES = 65_536
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const LINGER_MS = 2_000

export class ServerConnection implements Carrier {
  readonly deadline: Deadline
  seat = -1
  private readonly socket: Socket
  private readonly outbox: Outbox
  private readonly gateway: Gateway
  private readonly peer: Peer
  private readonly onClosed: () => void
  private readonly heads = new HeadReader()
  private pending: Buffer | undefined
  private consuming = false
  private paused = false
  private closed = false
  private lingering = false
  private passage: Passage | undefined
  private head: RequestHead | undefined
  private exchange: Exchange | undefined
  private body: IncomingBody | undefined
  private outgoing: OutgoingBody | undefined
  private keepAlive = true
  private continueOwed = false
  private answered = false
  /** The client has half-closed: it sends no more, and still reads. */
  private clientDone = false
  private served = 0
  /** Bytes of answers that were on their way at the last tick. */
  private takenBytes = 0

  constructor(socket: Socket, gateway: Gateway, peer: Peer, onClosed: () => void) {
    this.socket = socket
    this.outbox = new Outbox(socket)
    this.gateway = gateway
    this.peer = peer
    this.onClosed = onClosed
    this.deadline = new Deadline(gateway.limits)
    socket.on('end', () => this.clientEnded())
    socket.on('close', () => this.socketClosed())
    // The reason does not matter: 'close' says that the client is gone. A TLS socket does not close by itself.
    socket.on('error', () => socket.destroy())
    socket.on('drain', () => (this.outgoing === undefined ? this.goOn() : this.outgoing.drained()))
  }

  /** True between two requests: such a connection may be closed at any moment. */
  get idle(): boolean {
    return this.passage === undefined && this.pending === undefined && this.body === undefined
  }

  /** Takes what the socket read; `volatile` bytes are overwritten after the call. */
  receive(bytes: Buffer, end: number, volatile: boolean): void {
    if (this.closed) return
    if (this.pending === undefined) {
      this.feed(bytes, end, volatile)
      return
    }
    const joined = Buffer.concat([this.pending, bytes.subarray(0, end)])
    this.pending = undefined
    this.feed(joined, joined.length, false)
  }

  /** Told at every tick: closes what is idle, slow or stalled for too long. */
  tick(nowMs: number): void {
    this.passage?.tick(nowMs)
    this.watchReader()
    const verdict = this.deadline.check(nowMs, this.body)
    if (verdict === 'fine' || this.closed) return
    if (verdict === 'slow-head' && this.pending !== undefined) this.refuse(requestTimeout())
    else if (verdict === 'slow-body') this.body?.fail(this.deadline.slowBody())
    else if (verdict === 'idle') this.close()
    else this.socket.destroy()
  }

  /** Ends the connection as soon as no exchange is under way. */
  retire(): void {
    this.keepAlive = false
    if (this.idle) this.close()
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** Another protocol takes the socket over; this connection never was. */
  handOver(): void {
    this.closed = true
    this.onClosed()
  }

  inform(status: number, fields: Fields): void {
    if (this.answered || this.closed || this.head?.version === '1.0') return
    if (status === 100) this.continueOwed = false
    this.outbox.write(toAnswerHead(status, fields, '', ''))
  }

  answer(status: number, fields: Fields, own: Fields, body: Body): void {
    if (this.closed) return
    this.answered = true
    const tunnel = status === 101
    if (!tunnel) this.settleBody()
    if (this.gateway.draining) this.keepAlive = false
    const close = !this.keepAlive
    const bodyless = this.head?.method === 'HEAD' || status === 204 || status === 304
    const connection = tunnel ? 'connection: upgrade\r\nupgrade: websocket\r\n' : close ? 'connection: close\r\n' : ''
    const chunked = this.head?.version === '1.1'
    if (!isBodySource(body) || bodyless) {
      const bytes = bodyless || !(body instanceof Uint8Array) ? undefined : body
      if (isBodySource(body)) body.cancel()
      const framing = tunnel || bodyless ? '' : 'content-length: ' + (bytes?.length ?? 0) + '\r\n'
      writeMessage(this.outbox, toAnswerHead(status, fields, own.toLines() + framing, connection), bytes)
      this.finish(bytes?.length ?? 0, undefined)
      return
    }
    let framing = ''
    if (body.bodyBytes !== undefined) framing = 'content-length: ' + body.bodyBytes + '\r\n'
    else if (!tunnel && chunked) framing = 'transfer-encoding: chunked\r\n'
    else this.keepAlive = false
    writeMessage(this.outbox, toAnswerHead(status, fields, own.toLines() + framing, connection), undefined)
    this.outgoing = new OutgoingBody(this.outbox, body, framing.startsWith('t'), this)
    if (tunnel) this.keepAlive = false
    // A body that still comes is part of a conversation now, which the upstream's idle timeout bounds.
    this.deadline.tunnel()
    this.outgoing.start()
  }

  reset(): void {
    this.outgoing?.stop()
    this.finish(this.outgoing?.sentBytes ?? 0, BROKEN_OFF)
  }

  bodySent(): void {
    this.finish(this.outgoing?.sentBytes ?? 0, undefined)
  }

  bodyBroke(cause: Error): void {
    this.finish(this.outgoing?.sentBytes ?? 0, cause)
  }

  bodyFlows(): void {
    if (this.continueOwed && !this.answered) {
      this.continueOwed = false
      this.outbox.write(CONTINUE)
    }
    this.goOn()
  }

  bodyCancelled(): void {
    this.goOn()
  }

  private feed(bytes: Buffer, end: number, volatile: boolean): void {
    this.consuming = true
    const at = this.consume(bytes, end, volatile)
    this.consuming = false
    if (at === end || this.closed || this.lingering) return
    const rest = bytes.subarray(at, end)
    this.keep(volatile ? Buffer.from(rest) : rest)
  }

  private consume(bytes: Buffer, end: number, volatile: boolean): number {
    let at = 0
    while (at < end && !this.closed && !this.lingering) {
      const body = this.body
      let next: number
      if (body !== undefined) {
        next = body.push(bytes, at, end, volatile)
        if (body.done) this.bodyEnded(body)
        if (next === at && !body.done) return at
      } else if (this.passage !== undefined || this.socket.writableNeedDrain) {
        // A client that asks on and reads nothing would have its answers pile up here.
        return at
      } else {
        next = this.readHead(bytes, at, end)
        if (next === at) return at
      }
      at = next
    }
    return at
  }

  private bodyEnded(body: IncomingBody): void {
    if (this.body === body) this.body = undefined
    if (body.failed) this.keepAlive = false
    if (this.exchange !== undefined) this.exchange.request.bodyEndedMs = performance.now()
    this.countBytes(body)
  }

  private countBytes(body: IncomingBody | undefined): void {
    if (this.exchange !== undefined && body !== undefined) this.exchange.requestBytes = body.receivedBytes
  }

  private keep(rest: Buffer): void {
    this.pending = rest
    if (rest.length > KEPT_BYTES && !this.paused) {
      this.paused = true
      this.socket.pause()
    }
  }

  /** Takes up what was kept; also when nothing was, since the socket may be paused. */
  private goOn(): void {
    if (this.consuming || this.closed) return
    const kept = this.pending
    if (kept !== undefined) {
      this.pending = undefined
      this.feed(kept, kept.length, false)
    }
    if (this.paused && (this.pending === undefined || this.pending.length <= KEPT_BYTES)) {
      this.paused = false
      this.socket.resume()
    }
    if (this.clientDone && !this.closed) this.comeToEnd()
  }

  /** The client sends no more: what is answered ends the connection, what is not whole never will be. */
  private comeToEnd(): void {
    if (this.passage !== undefined) {
      if (this.pending === undefined && this.body !== undefined && !this.body.cancelled) this.socket.destroy()
    } else if (this.pending === undefined || !this.socket.writableNeedDrain) this.close()
  }

  private readHead(bytes: Buffer, start: number, end: number): number {
    const head = this.heads.read(bytes, start, end, this.gateway.limits)
    if (head === undefined) {
      this.deadline.headBegan()
      return start
    }
    if (head instanceof Problem) {
      this.refuse(head)
      return end
    }
    this.begin(head)
    return this.heads.end
  }

  private begin(head: RequestHead): void {
    const { gateway } = this
    const { limits } = gateway
    this.head = head
    this.answered = false
    this.served++
    const last = limits.maxRequestsPerConnection > 0 && this.served >= limits.maxRequestsPerConnection
    this.keepAlive = head.keepAlive && head.version === '1.1' && !last && !gateway.draining
    this.continueOwed = head.expectContinue
    if (head.bodyBytes !== 0 || head.upgrade !== undefined) {
      this.body = new IncomingBody(this, head.upgrade === undefined ? head.bodyBytes : UNTIL_CLOSE, {
        maxBodyBytes: head.upgrade === undefined ? limits.maxBodyBytes : Number.POSITIVE_INFINITY,
        maxTrailerBytes: limits.maxHeadBytes,
        maxFields: limits.maxFields,
        isResponse: false,
      })
    }
    const exchange = toExchange(head, head.version, this.peer, gateway, this.body)
    this.deadline.requestBegan(exchange.startedMs, this.body !== undefined)
    this.exchange = exchange
    this.open(gateway.begin(exchange, this))
  }

  /** `begin` and `refuse` may have answered before they return; then the passage is over already. */
  private open(passage: Passage): void {
    this.passage = passage
    if (!this.finishedEarly) return
    const { bytes, cause } = this.finishedEarly
    this.finishedEarly = undefined
    this.finish(bytes, cause)
  }

  private finishedEarly: { bytes: number; cause: Error | undefined } | undefined

  /** The answer is out, whole or broken. */
  private finish(bytes: number, cause: Error | undefined): void {
    const { passage } = this
    if (passage === undefined) {
      this.finishedEarly = { bytes, cause }
      return
    }
    this.passage = undefined
    this.outgoing = undefined
    this.countBytes(this.body)
    passage.ended(bytes, cause)
    const unread = this.body !== undefined && !this.body.done && !this.body.cancelled
    if (cause !== undefined) this.breakOff()
    else if (unread || !this.keepAlive) this.close()
    else {
      this.deadline.idle()
      this.goOn()
    }
  }

  private refuse(problem: Problem): void {
    this.keepAlive = false
    this.head = undefined
    this.answered = false
    this.open(this.gateway.refuse(problem, this.peer, this))
  }

  /**
   * An answer that nobody had to read the body for. A short rest is read and dropped so that the connection can stay;
   * what is long, of unknown length or not sent before a 100 ends it.
   */
  private settleBody(): void {
    const { body } = this
    if (body?.failed === true) this.keepAlive = false
    if (body === undefined || body.flowing) return
    if (this.head?.upgrade !== undefined) {
      this.body = undefined
      this.keepAlive = false
    }
    if (this.continueOwed || body.bodyBytes === undefined || body.bodyBytes > DROPPED_BYTES) this.keepAlive = false
    body.cancel()
  }

  /** Half-closes and reads on for a while, so that a reset does not overtake the answer (RFC 9112 §9.6). */
  private close(): void {
    if (this.closed || this.lingering) return
    this.lingering = true
    this.pending = undefined
    this.body?.fail(CLIENT_LEFT)
    this.body = undefined
    this.deadline.tunnel()
    this.outbox.end(() => this.deadline.linger(performance.now() + LINGER_MS))
    if (this.paused) this.socket.resume()
  }

  /** The client must see that its answer is not whole. TLS has no reset; without its closing alert it tells the same. */
  private breakOff(): void {
    if (this.socket instanceof TLSSocket) this.socket.destroy()
    else this.socket.resetAndDestroy()
  }

  private clientEnded(): void {
    if (this.closed) return
    const { body } = this
    const isTunnel = this.outgoing !== undefined && this.head?.upgrade !== undefined
    if (isTunnel && body !== undefined && body.bodyBytes === undefined) return body.connectionEnded(CLIENT_LEFT)
    this.clientDone = true
    if (this.gateway.halfClose === 'answer') this.comeToEnd()
    else if (this.passage === undefined) this.close()
    else this.socket.destroy()
  }

  private socketClosed(): void {
    if (this.closed) return
    this.closed = true
    this.heads.close()
    this.pending = undefined
    const { passage, outgoing, body } = this
    this.countBytes(body)
    if (this.exchange !== undefined && outgoing !== undefined) this.exchange.responseBytes = outgoing.sentBytes
    this.passage = undefined
    this.outgoing = undefined
    this.body = undefined
    passage?.clientLeft()
    outgoing?.stop()
    body?.fail(CLIENT_LEFT)
    this.onClosed()
  }

  /** Sees whether the client takes what waits for it. */
  private watchReader(): void {
    const waitingBytes = this.socket.writableLength
    const takenBytes = this.socket.bytesWritten - waitingBytes
    if (waitingBytes === 0) this.deadline.writing(false)
    else if (takenBytes !== this.takenBytes) this.deadline.writing(true)
    this.takenBytes = takenBytes
  }
}

const BROKEN_OFF = new Error('The answer was broken off.')
const CLIENT_LEFT = new Error('The client closed the connection.')
