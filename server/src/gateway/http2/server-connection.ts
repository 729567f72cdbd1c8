/**
 * One client's HTTP/2 connection (RFC 9113): frames in, an exchange on each stream, frames out. What a frame means is
 * in `frame`; what a client may do that costs us and gives it nothing is counted against budgets.
 */
import type { Socket } from 'node:net'
import type { Peer } from '../../kernel/exchange.ts'
import { Problem } from '../../kernel/problem.ts'
import type { Gateway } from '../carrier.ts'
import { FrameDispatch, type FrameTarget, type Section } from './frame-dispatch.ts'
import * as frames from './frames.ts'
import { HpackEncoder } from './hpack-encoder.ts'
import { PeerSettings } from './peer-settings.ts'
import { ReceiveWindow } from './receive-window.ts'
import { RequestReader } from './request-reader.ts'
import type { RequestSection } from './request-section.ts'
import { Resets } from './resets.ts'
import { Sender } from './sender.ts'
import { ServerStream, STREAM_WINDOW_BYTES, type StreamHost } from './server-stream.ts'
import { SETTINGS_ACK, toGoaway, toPing, toReset, toSettings, toWindowUpdate } from './write-frames.ts'

const MAX_STREAMS = 256
const CONNECTION_WINDOW_BYTES = 4 * STREAM_WINDOW_BYTES
/** Control frames that a client asked for and does not read. */
const MAX_UNREAD_BYTES = 65_536
/** With so much unread no further streams are begun. */
const MAX_WAITING_BYTES = 1_048_576
/** How long a client may take to close after a GOAWAY, or to answer the PING that goes with it. */
const CLOSING_MS = 2_000
const FAREWELL = 'farewell'

const SETTINGS_KEPT = [
  [frames.SETTINGS_MAX_CONCURRENT_STREAMS, MAX_STREAMS],
  [frames.SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES],
  [frames.SETTINGS_ENABLE_CONNECT_PROTOCOL, 1],
] as const

type State = 'open' | 'leaving' | 'left' | 'closing' | 'closed'

export class Http2Connection implements FrameTarget, StreamHost {
  readonly gateway: Gateway
  seat = -1
  readonly sender: Sender
  readonly encoder = new HpackEncoder()
  private readonly socket: Socket
  private readonly peer: Peer
  private readonly onClosed: () => void
  private readonly input: FrameDispatch
  private readonly requests = new RequestReader()
  private readonly settings = new PeerSettings()
  private readonly streams = new Map<number, ServerStream>()
  private readonly window = new ReceiveWindow(CONNECTION_WINDOW_BYTES)
  private readonly resets = new Resets()
  private state: State = 'open'
  private receiving = false
  /** The client has half-closed: it sends no more, and still reads. */
  private clientDone = false
  private lastStreamId = 0
  /** The last stream that was taken on: what GOAWAY says. */
  private servedId = 0
  private served = 0
  private sinceMs = performance.now()

  constructor(socket: Socket, gateway: Gateway, peer: Peer, onClosed: () => void) {
    this.socket = socket
    this.gateway = gateway
    this.peer = peer
    this.onClosed = onClosed
    this.sender = new Sender(socket)
    this.input = new FrameDispatch(this)
    socket.on('end', () => this.clientEnded())
    socket.on('close', () => this.socketClosed())
    // The reason of a reset does not matter: 'close' follows and says that the client is gone.
    socket.on('error', () => socket.destroy())
    socket.on('drain', () => this.sender.drained())
    const maxList = [frames.SETTINGS_MAX_HEADER_LIST_SIZE, gateway.limits.maxHeadBytes] as const
    this.sender.section(toSettings([...SETTINGS_KEPT, maxList]))
    this.sender.section(toWindowUpdate(0, CONNECTION_WINDOW_BYTES - frames.DEFAULT_WINDOW_BYTES))
    this.sender.schedule()
  }

  get reads(): boolean {
    return this.state !== 'closing' && this.state !== 'closed'
  }

  get maxBlockBytes(): number {
    return this.gateway.limits.maxHeadBytes
  }

  /** Takes what the socket read; `volatile` bytes are overwritten after the call. */
  receive(bytes: Buffer, end: number, volatile: boolean): void {
    if (!this.reads) return
    this.receiving = true
    this.input.earn(this.sender.takeSentFrames())
    this.input.receive(bytes, end, volatile)
    this.receiving = false
    if (this.sender.controlBytes > MAX_UNREAD_BYTES && this.sender.blocked) this.destroy()
    else this.sender.flush()
  }

  /** Told a few times a second: ends what is idle, slow or stalled for too long. */
  tick(nowMs: number): void {
    const { idleMs, headMs } = this.gateway.limits
    this.resets.tick(nowMs)
    const isSlow = this.input.tick(nowMs, headMs)
    for (const stream of this.streams.values()) stream.tick(nowMs)
    const { blockedSinceMs } = this.sender
    const forMs = nowMs - this.sinceMs
    if (blockedSinceMs > 0 && nowMs - blockedSinceMs > idleMs) this.destroy()
    else if (this.state === 'closing') {
      if (forMs > CLOSING_MS) this.destroy()
    } else if (this.state === 'leaving') {
      if (forMs > CLOSING_MS) this.leave()
    } else if (isSlow) this.die(frames.ENHANCE_YOUR_CALM)
    else if (this.streams.size === 0 && this.state === 'open' && forMs > idleMs) this.retire()
  }

  /** GOAWAY: streams that are under way or come before the client has heard of it are served, then it ends. */
  retire(): void {
    if (this.state !== 'open') return
    this.become('leaving')
    this.sender.section(toGoaway(frames.ANY_STREAM, frames.NO_ERROR) + toPing(FAREWELL, 0))
    this.sender.schedule()
  }

  destroy(): void {
    this.socket.destroy()
  }

  streamOver(stream: ServerStream, code: number | undefined): void {
    if (!this.streams.delete(stream.id)) return
    if (code !== undefined) this.tellReset(stream.id, code)
    this.endIfDone()
  }

  bodyTaken(stream: ServerStream, bytes: number): void {
    if (!this.reads) return
    this.giveBack(bytes)
    const step = stream.remoteEnded || stream.isOver ? 0 : stream.window.take(bytes)
    if (step === 0) return
    this.sender.section(toWindowUpdate(stream.id, step))
    this.flushSoon()
  }

  written(): void {
    // With one stream at a time there is nothing to wait for; with several, their answers go out together.
    if (this.streams.size === 0 && !this.receiving) this.sender.flush()
    else this.flushSoon()
  }

  /** A whole header block: a request, its trailers, or something that nobody waits for. */
  section({ streamId: id, endsStream, isSelfDependent }: Section, bytes: Buffer, start: number, end: number): void {
    const stream = this.streams.get(id)
    if (stream !== undefined) return this.trailers(stream, endsStream, bytes, start, end)
    if ((id & 1) === 0) return this.die(frames.PROTOCOL_ERROR)
    const isNew = id > this.lastStreamId
    if (isNew) this.lastStreamId = id
    const isUnheard = this.state === 'left' || this.clientDone
    if (!isNew || isUnheard || isSelfDependent || this.isFull()) {
      if (!this.requests.skip(bytes, start, end)) this.die(frames.COMPRESSION_ERROR)
      else if (!isNew) {
        if (!this.resets.has(id)) this.die(frames.STREAM_CLOSED)
      } else if (isSelfDependent) this.resetStream(id, frames.PROTOCOL_ERROR)
      else if (!isUnheard) this.resetStream(id, frames.REFUSED_STREAM)
      return
    }
    const request = this.requests.read(bytes, start, end, this.gateway.limits)
    if (request === undefined) return this.die(frames.COMPRESSION_ERROR)
    this.begin(new ServerStream(id, this, this.settings.initialWindow, endsStream), request)
  }

  private begin(stream: ServerStream, request: RequestSection | Problem): void {
    const { gateway } = this
    this.streams.set(stream.id, stream)
    this.servedId = stream.id
    this.served++
    const { maxRequestsPerConnection: maxRequests } = gateway.limits
    if (gateway.draining || (maxRequests > 0 && this.served >= maxRequests)) this.retire()
    if (request instanceof Problem) stream.refuse(request, this.peer)
    else stream.begin(request, this.peer)
  }

  private isFull(): boolean {
    return this.streams.size >= MAX_STREAMS || this.sender.waitingBytes > MAX_WAITING_BYTES
  }

  private trailers(stream: ServerStream, endsStream: boolean, bytes: Buffer, start: number, end: number): void {
    const trailers = this.requests.readTrailers(bytes, start, end, this.gateway.limits)
    if (trailers === undefined) this.die(frames.COMPRESSION_ERROR)
    else if (stream.remoteEnded) this.failStream(stream, frames.STREAM_CLOSED)
    else if (!endsStream) this.failStream(stream, frames.PROTOCOL_ERROR)
    else if (trailers instanceof Problem) {
      stream.remoteEnded = true
      stream.breach(trailers)
    } else stream.remoteEnd(trailers)
  }

  data(id: number, bytes: Buffer, start: number, end: number, length: number, ends: boolean, volatile: boolean): void {
    if (this.isIdle(id)) return this.die(frames.PROTOCOL_ERROR)
    if (!this.window.receive(length)) return this.die(frames.FLOW_CONTROL_ERROR)
    const stream = this.streams.get(id)
    if (stream === undefined) {
      this.giveBack(length)
      if (!this.resets.has(id) && this.state !== 'left') this.resetStream(id, frames.STREAM_CLOSED)
      return
    }
    if (stream.remoteEnded || !stream.window.receive(length)) {
      this.giveBack(length)
      this.failStream(stream, stream.remoteEnded ? frames.STREAM_CLOSED : frames.FLOW_CONTROL_ERROR)
      return
    }
    if (end - start < length) this.bodyTaken(stream, length - (end - start))
    stream.data(bytes, start, end, ends, volatile)
  }

  windowUpdate(id: number, bytes: number): void {
    if (id === 0) {
      if (bytes === 0) this.die(frames.PROTOCOL_ERROR)
      else if (!this.sender.widen(bytes)) this.die(frames.FLOW_CONTROL_ERROR)
      return
    }
    if (this.isIdle(id)) return this.die(frames.PROTOCOL_ERROR)
    const stream = this.streams.get(id)
    if (stream === undefined) return
    if (bytes === 0) this.failStream(stream, frames.PROTOCOL_ERROR)
    else if (!stream.widen(bytes)) this.failStream(stream, frames.FLOW_CONTROL_ERROR)
  }

  resetByClient(id: number): void {
    if (this.isIdle(id)) return this.die(frames.PROTOCOL_ERROR)
    if (!this.resets.count()) return this.die(frames.ENHANCE_YOUR_CALM)
    const stream = this.streams.get(id)
    if (stream === undefined) return
    stream.lost()
    this.streamOver(stream, undefined)
  }

  peerSettings(bytes: Buffer, start: number, end: number): void {
    const before = this.settings.initialWindow
    const error = this.settings.apply(bytes, start, end)
    if (error !== frames.NO_ERROR) return this.die(error)
    if (this.settings.tableBytes !== undefined) this.encoder.setTableBytes(this.settings.tableBytes)
    this.sender.control(SETTINGS_ACK)
    const change = this.settings.initialWindow - before
    if (change === 0) return
    // RFC 9113 §6.9.2: also what is under way gets more or less, down to below nothing.
    for (const stream of this.streams.values()) {
      if (!stream.widen(change)) return this.die(frames.FLOW_CONTROL_ERROR)
    }
  }

  ping(opaque: string, isAnswer: boolean): void {
    if (!isAnswer) this.sender.control(toPing(opaque, frames.ACK))
    else if (opaque === FAREWELL && this.state === 'leaving') this.leave()
  }

  badPriority(id: number, code: number): void {
    const stream = this.streams.get(id)
    if (stream === undefined) this.resetStream(id, code)
    else this.failStream(stream, code)
  }

  /** An error of the connection (RFC 9113 §5.4.1). */
  die(code: number): void {
    if (!this.reads) return
    this.sender.section(toGoaway(this.servedId, code))
    this.end()
  }

  private isIdle(id: number): boolean {
    return id > this.lastStreamId || (id & 1) === 0
  }

  /** A client's error on a stream ends that stream; each counts as if the client had reset it (CVE-2025-8671). */
  private failStream(stream: ServerStream, code: number): void {
    stream.lost()
    this.streams.delete(stream.id)
    this.resetStream(stream.id, code)
    this.endIfDone()
  }

  private resetStream(id: number, code: number): void {
    if (!this.resets.count()) this.die(frames.ENHANCE_YOUR_CALM)
    else this.tellReset(id, code)
  }

  private tellReset(id: number, code: number): void {
    if (!this.reads) return
    this.resets.remember(id)
    this.sender.control(toReset(id, code))
    this.flushSoon()
  }

  private giveBack(bytes: number): void {
    const step = this.window.take(bytes)
    if (step === 0) return
    this.sender.section(toWindowUpdate(0, step))
    this.flushSoon()
  }

  private flushSoon(): void {
    if (!this.receiving) this.sender.schedule()
  }

  private become(state: State): void {
    this.state = state
    this.sinceMs = performance.now()
  }

  /** The client has heard of it: the streams that it began until now are the last. */
  private leave(): void {
    this.become('left')
    this.sender.section(toGoaway(this.servedId, frames.NO_ERROR))
    this.flushSoon()
    this.endIfDone()
  }

  private endIfDone(): void {
    if (this.streams.size > 0) return
    if (this.state === 'open') this.sinceMs = performance.now()
    if ((this.state === 'left' || this.clientDone) && this.reads) this.end()
  }

  /** Half-closes and reads on for a while, so that a reset does not overtake what was said. */
  private end(): void {
    this.become('closing')
    this.loseStreams()
    this.sender.flush()
    this.socket.end()
  }

  private loseStreams(): void {
    const { streams } = this
    if (streams.size === 0) return
    const lost = [...streams.values()]
    streams.clear()
    for (const stream of lost) stream.lost()
  }

  private clientEnded(): void {
    if (!this.reads || this.streams.size === 0 || this.gateway.halfClose === 'abort') {
      this.sender.flush()
      this.socket.destroySoon()
      return
    }
    this.clientDone = true
    for (const stream of this.streams.values()) {
      if (stream.remoteEnded) continue
      stream.lost()
      this.streams.delete(stream.id)
    }
    this.endIfDone()
  }

  private socketClosed(): void {
    this.state = 'closed'
    this.loseStreams()
    this.onClosed()
  }
}
