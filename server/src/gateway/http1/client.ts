/** The HTTP/1.1 connections from one thread to one target: kept alive, bounded, last used first. */
import { performance } from 'node:perf_hooks'
import type { Socket } from 'node:net'
import {
  UpstreamError,
  type UpstreamCall,
  type UpstreamClient,
  type UpstreamErrorKind,
  type UpstreamReceiver,
  type UpstreamRequest,
} from '../upstream/client.ts'
import type { Ticker } from '../ticker.ts'
import { toConnectError } from '../upstream/connect-error.ts'
import { ClientConnection } from './client-connection.ts'

export interface Http1ClientOptions {
  /** Opens a socket to the target; `onRead` is told of what it reads. */
  connect(onRead: (bytes: Buffer, end: number, volatile: boolean) => void): Socket
  /** Name of the event that says that the socket can be used: `connect`, or `secureConnect` with TLS. */
  readonly readyEvent: 'connect' | 'secureConnect'
  readonly connectMs: number
  readonly idleMs: number
  readonly maxConnections: number
  readonly maxWaiting: number
}

/** One request on its way: waiting for a connection, or on one. */
export class Http1Call implements UpstreamCall {
  readonly request: UpstreamRequest
  readonly receiver: UpstreamReceiver
  connection: ClientConnection | undefined = undefined
  private readonly client: Http1Client
  private over = false

  constructor(client: Http1Client, request: UpstreamRequest, receiver: UpstreamReceiver) {
    this.client = client
    this.request = request
    this.receiver = receiver
  }

  /** The connection has read the whole answer and serves others from now on. */
  done(): void {
    this.over = true
    this.connection = undefined
  }

  cancel(): void {
    if (this.over) return
    this.over = true
    if (this.connection === undefined) this.client.forget(this)
    else this.connection.cancel()
  }

  abort(kind: UpstreamErrorKind, message: string): void {
    if (this.over) return
    this.over = true
    if (this.connection !== undefined) this.connection.abort(new UpstreamError(kind, 'some', message))
    else if (this.client.forget(this)) this.receiver.fail(new UpstreamError(kind, 'nothing', message))
  }

  fail(error: UpstreamError): void {
    if (this.over) return
    this.over = true
    this.receiver.fail(error)
  }
}

export class Http1Client implements UpstreamClient {
  private readonly options: Http1ClientOptions
  private readonly idle: ClientConnection[] = []
  private readonly all = new Set<ClientConnection>()
  private readonly waiting: Http1Call[] = []
  private readonly ticker: Ticker
  private opening = 0
  private closed = false
  /** The time as it was a moment ago, which is exact enough for idle connections and asks no clock. */
  private tickedMs = performance.now()

  constructor(options: Http1ClientOptions, ticker: Ticker) {
    this.options = options
    this.ticker = ticker
    ticker.add(this)
  }

  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamCall {
    const call = new Http1Call(this, request, receiver)
    const connection = this.takeIdle()
    if (connection !== undefined) this.assign(connection, call)
    else this.enqueue(call)
    return call
  }

  /** Takes a call out of the queue; false when it was not there. */
  forget(call: Http1Call): boolean {
    const at = this.waiting.indexOf(call)
    if (at !== -1) this.waiting.splice(at, 1)
    return at !== -1
  }

  /** A connection can take the next request. */
  released(connection: ClientConnection): void {
    const next = this.waiting.shift()
    if (next !== undefined) this.assign(connection, next)
    else if (this.closed) connection.destroy()
    else {
      connection.idleSinceMs = this.tickedMs
      this.idle.push(connection)
    }
  }

  /** A connection is gone. */
  lost(connection: ClientConnection): void {
    if (!this.all.delete(connection)) return
    const at = this.idle.indexOf(connection)
    if (at !== -1) this.idle.splice(at, 1)
    this.openMore()
  }

  /** Closes what was idle for too long; told a few times a second. */
  tick(nowMs: number): void {
    this.tickedMs = nowMs
    let oldest = this.idle[0]
    while (oldest !== undefined && nowMs - oldest.idleSinceMs > this.options.idleMs) {
      oldest.destroy()
      oldest = this.idle[0]
    }
  }

  close(): void {
    this.closed = true
    this.ticker.delete(this)
    for (const connection of this.idle.slice()) connection.destroy()
  }

  private takeIdle(): ClientConnection | undefined {
    let connection = this.idle.pop()
    while (connection !== undefined && !connection.usable) connection = this.idle.pop()
    return connection
  }

  private assign(connection: ClientConnection, call: Http1Call): void {
    call.connection = connection
    connection.start(call)
  }

  private enqueue(call: Http1Call): void {
    if (this.waiting.length >= this.options.maxWaiting && this.all.size + this.opening >= this.options.maxConnections) {
      call.fail(
        new UpstreamError('full', 'nothing', 'All connections to the target are busy and too many requests wait.'),
      )
      return
    }
    this.waiting.push(call)
    this.openMore()
  }

  private openMore(): void {
    while (this.opening < this.waiting.length && this.all.size + this.opening < this.options.maxConnections) this.open()
  }

  private open(): void {
    this.opening++
    let connection: ClientConnection | undefined
    let isReached = false
    const socket = this.options.connect((bytes, end, volatile) => connection?.receive(bytes, end, volatile))
    const timer = setTimeout(() => {
      socket.destroy(
        new UpstreamError('connect-timeout', 'nothing', 'The target did not accept the connection in time.'),
      )
    }, this.options.connectMs)
    const failed = (cause: Error): void => {
      clearTimeout(timer)
      this.opening--
      this.waiting.shift()?.fail(toConnectError(cause, isReached))
      this.openMore()
    }
    socket.once('error', failed)
    // With TLS, what fails from here on is the handshake.
    socket.once('connect', () => (isReached = true))
    socket.once(this.options.readyEvent, () => {
      clearTimeout(timer)
      socket.off('error', failed)
      this.opening--
      connection = new ClientConnection(socket, this)
      this.all.add(connection)
      this.released(connection)
    })
  }
}
