/**
 * The HTTP/2 connections from one thread to one target: as few as the target's limit of streams allows, opened when
 * they are needed, given up when the target says so or nobody used them for a while.
 */
import type { ClientHttp2Session } from 'node:http2'
import {
  type UpstreamCall,
  type UpstreamClient,
  UpstreamError,
  type UpstreamReceiver,
  type UpstreamRequest,
} from '../upstream/client.ts'
import { Http2Call } from './client-call.ts'
import { ClientSession, type SessionOwner, type Timekeeper } from './client-session.ts'
import { openSession, type OpenSessionOptions } from './open-session.ts'

export interface Http2ClientOptions extends OpenSessionOptions {
  readonly idleMs: number
  readonly maxConnections: number
  readonly maxWaiting: number
}

/** Streams that a connection under way is expected to take; most servers allow 100 or more (RFC 9113 §6.5.2). */
const EXPECTED_STREAMS = 100

export class Http2Client implements UpstreamClient, SessionOwner {
  private readonly options: Http2ClientOptions
  private readonly ticker: Timekeeper
  private readonly sessions: ClientSession[] = []
  private readonly waiting: Http2Call[] = []
  private readonly giveUps = new Set<() => void>()
  private closed = false

  constructor(options: Http2ClientOptions, ticker: Timekeeper) {
    this.options = options
    this.ticker = ticker
  }

  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamCall {
    const call = new Http2Call(request, receiver, (forgotten) => this.forget(forgotten))
    const session = this.waiting.length === 0 ? this.sessions.find(({ hasRoom }) => hasRoom) : undefined
    if (session !== undefined) session.start(call)
    else this.enqueue(call)
    return call
  }

  close(): void {
    this.closed = true
    for (const session of this.sessions.slice()) session.close()
    if (this.waiting.length > 0) return
    for (const giveUp of this.giveUps) giveUp()
    this.giveUps.clear()
  }

  roomMade(session: ClientSession): void {
    while (session.hasRoom) {
      const call = this.waiting.shift()
      if (call === undefined) return
      session.start(call)
    }
  }

  lost(session: ClientSession): void {
    const at = this.sessions.indexOf(session)
    if (at !== -1) this.sessions.splice(at, 1)
    this.openMore()
  }

  private forget(call: Http2Call): void {
    const at = this.waiting.indexOf(call)
    if (at !== -1) this.waiting.splice(at, 1)
  }

  private enqueue(call: Http2Call): void {
    const openable = this.closed ? 0 : this.options.maxConnections - this.sessions.length
    if (this.waiting.length >= this.options.maxWaiting + openable * EXPECTED_STREAMS) {
      const message = 'All connections to the target are busy and too many requests wait.'
      call.fail(new UpstreamError('full', 'nothing', message))
      return
    }
    this.waiting.push(call)
    this.openMore()
  }

  private openMore(): void {
    const { maxConnections } = this.options
    while (
      this.waiting.length > this.giveUps.size * EXPECTED_STREAMS &&
      this.sessions.length + this.giveUps.size < maxConnections
    ) {
      this.open()
    }
  }

  private open(): void {
    const giveUp = openSession(
      this.options,
      (session) => {
        this.giveUps.delete(giveUp)
        this.adopt(session)
      },
      (error) => {
        this.giveUps.delete(giveUp)
        // Those that waited for this connection fail with it, and may be tried at another target.
        for (const call of this.waiting.splice(0, EXPECTED_STREAMS)) call.fail(error)
        this.openMore()
      },
    )
    this.giveUps.add(giveUp)
  }

  private adopt(session: ClientHttp2Session): void {
    const adopted = new ClientSession(session, this, this.options.idleMs, this.ticker)
    this.sessions.push(adopted)
    this.roomMade(adopted)
    this.openMore()
    if (this.closed) adopted.close()
  }
}
