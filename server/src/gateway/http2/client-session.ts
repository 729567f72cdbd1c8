/** One HTTP/2 connection to a target with its streams: how many it takes, whether it lives, when it is to go. */
import type { ClientHttp2Session } from 'node:http2'
import type { CallCarrier, Http2Call } from './client-call.ts'
import type { Ticker } from '../ticker.ts'
import { nodeHttp2 } from './node-http2.ts'

/** Where a connection gets its sense of time from: told a few times a second. */
export type Timekeeper = Pick<Ticker, 'add' | 'delete'>

export interface SessionOwner {
  /** A stream ended: there may be room for the next one. */
  roomMade(session: ClientSession): void
  /** The connection takes no more streams. */
  lost(session: ClientSession): void
}

/** A target that allows more streams at once, or any number, gets this many on one connection. */
const MAX_STREAMS = 1_000

/**
 * PING asks whether the target still answers: together with a request after this long a silence, and after a timeout.
 * Not more often, because gRPC servers close connections on which PINGs come without need.
 */
const SILENT_MS = 10_000

/** While streams are open but nothing comes, a PING every five minutes, the shortest time that gRPC servers expect. */
const WAITING_PING_MS = 300_000

/** A PING that is not answered in this time means that the connection is dead. */
const PING_ANSWER_MS = 10_000

export class ClientSession implements CallCarrier {
  private readonly session: ClientHttp2Session
  private readonly owner: SessionOwner
  private readonly idleMs: number
  private active = 0
  private leaving = false
  private heardMs = performance.now()
  private idleSinceMs = performance.now()
  /** When the PING under way was sent; undefined when none is. */
  private pingMs: number | undefined
  /** The highest stream that the target will still answer, once it has said so. */
  private lastStreamId: number | undefined

  constructor(session: ClientHttp2Session, owner: SessionOwner, idleMs: number, ticker: Timekeeper) {
    this.session = session
    this.owner = owner
    this.idleMs = idleMs
    session.on('goaway', (_code, lastStreamId) => {
      this.lastStreamId = lastStreamId
      this.leave()
    })
    // The error of a connection is told to each of its streams; without any it concerns nobody.
    session.on('error', () => this.leave())
    session.on('close', () => {
      this.leave()
      ticker.delete(this)
    })
    ticker.add(this)
  }

  get hasRoom(): boolean {
    const allowed = this.session.remoteSettings.maxConcurrentStreams ?? MAX_STREAMS
    return !this.leaving && this.active < Math.min(allowed, MAX_STREAMS)
  }

  start(call: Http2Call): void {
    if (performance.now() - this.heardMs > SILENT_MS) this.ping()
    if (call.begin(this.session, this)) this.active++
  }

  ended(): void {
    this.active--
    this.idleSinceMs = performance.now()
    this.owner.roomMade(this)
  }

  heard(): void {
    this.heardMs = performance.now()
  }

  doubt(): void {
    this.ping()
  }

  leftOut(streamId: number): boolean {
    return this.lastStreamId !== undefined && streamId > this.lastStreamId
  }

  /** Takes no more streams; the connection closes after the last one. */
  close(): void {
    this.leave()
    if (!this.session.destroyed) this.session.close()
  }

  tick(nowMs: number): void {
    if (this.pingMs !== undefined && nowMs - this.pingMs > PING_ANSWER_MS) {
      this.session.destroy(undefined, nodeHttp2().constants.NGHTTP2_CANCEL)
    } else if (this.active > 0) {
      if (nowMs - this.heardMs > WAITING_PING_MS) this.ping()
    } else if (nowMs - this.idleSinceMs > this.idleMs) this.close()
  }

  private ping(): void {
    if (this.pingMs !== undefined || this.session.destroyed) return
    this.pingMs = performance.now()
    this.session.ping((error) => {
      this.pingMs = undefined
      if (error === null) this.heard()
    })
  }

  private leave(): void {
    if (this.leaving) return
    this.leaving = true
    this.owner.lost(this)
  }
}
