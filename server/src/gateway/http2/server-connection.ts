/**
 * One client's HTTP/2 connection (RFC 9113) on `node:http2`, which does framing, compression and flow control. Each
 * stream is an exchange of its own.
 */
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Peer } from '../../kernel/exchange.ts'
import type { Gateway } from '../carrier.ts'
import { ServerStream } from './server-stream.ts'

const MAX_STREAMS = 256
/** What one client may have under way to us before its stream is taken: enough for a fast upload over a long line. */
const STREAM_WINDOW_BYTES = 1_048_576
/** Resets that a client may send at once and per second: beyond that it makes work and wants no answers (CVE-2023-44487). */
const RESET_BURST = 200
const RESETS_PER_SECOND = 33
/** An orderly end may take this long once the last stream is done. */
const CLOSING_MS = 5_000

export class Http2Connection {
  private readonly session: ServerHttp2Session
  private readonly gateway: Gateway
  private readonly streams = new Set<ServerStream>()
  private idleSinceMs = performance.now()
  private retired = false

  constructor(socket: Socket, gateway: Gateway, peer: Peer, closed: () => void) {
    this.gateway = gateway
    const { maxHeadBytes, maxFields } = gateway.limits
    this.session = performServerHandshake(socket, {
      maxHeaderListPairs: maxFields + 8,
      maxSendHeaderBlockLength: 262_144,
      maxSettings: 32,
      streamResetBurst: RESET_BURST,
      streamResetRate: RESETS_PER_SECOND,
      settings: {
        maxConcurrentStreams: MAX_STREAMS,
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: maxHeadBytes,
        enableConnectProtocol: true,
      },
    })
    this.session.setLocalWindowSize(STREAM_WINDOW_BYTES * 4)
    this.session.on('stream', (stream, _record, flags, section: readonly string[]) => this.accept(stream, flags, section, peer))
    // What goes wrong with a session ends it; 'close' follows.
    this.session.on('error', () => undefined)
    this.session.on('close', closed)
  }

  tick(nowMs: number): void {
    for (const stream of this.streams) stream.tick(nowMs)
    const idleMs = this.streams.size > 0 ? 0 : nowMs - this.idleSinceMs
    if (this.retired ? idleMs > CLOSING_MS : idleMs > this.gateway.limits.idleMs + CLOSING_MS) this.destroy()
    else if (idleMs > this.gateway.limits.idleMs) this.retire()
  }

  /** GOAWAY: no new streams, those under way go on; the session ends with the last. */
  retire(): void {
    if (this.retired || this.session.closed) return
    this.retired = true
    this.idleSinceMs = performance.now()
    this.session.close()
  }

  destroy(): void {
    this.session.destroy()
  }

  private accept(stream: ServerHttp2Stream, flags: number, section: readonly string[], peer: Peer): void {
    const served = new ServerStream(stream, this.gateway)
    this.streams.add(served)
    stream.once('close', () => {
      this.streams.delete(served)
      if (this.streams.size === 0) this.idleSinceMs = performance.now()
    })
    served.begin(section, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0, peer)
    if (this.gateway.draining) this.retire()
  }
}
