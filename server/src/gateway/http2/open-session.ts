/** Opens an HTTP/2 connection to a target and hands it over once the target has shown that it speaks HTTP/2. */
import type { ClientHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { UpstreamError } from '../upstream/client.ts'
import { toConnectError } from '../upstream/connect-error.ts'
import { nodeHttp2 } from './node-http2.ts'

export interface OpenSessionOptions {
  /** Opens a socket to the target, plain or TLS with `h2` offered by ALPN. */
  connect(): Socket
  readonly connectMs: number
}

/** A stream may be this far ahead of its reader; what a stalled one holds at most. */
const STREAM_WINDOW_BYTES = 262_144

/** All streams of a connection together, as far as their readers keep up. */
const SESSION_WINDOW_BYTES = 4 * STREAM_WINDOW_BYTES

const MAX_SECTION_BYTES = 65_536
const MAX_FIELDS = 256

/** Memory that one connection may hold in `node:http2`, in its megabytes; beyond it streams are refused. */
const SESSION_MEMORY_MB = 64

/** Calls exactly one of the two. Returns a way to give up, after which neither is called. */
export function openSession(
  options: OpenSessionOptions,
  opened: (session: ClientHttp2Session) => void,
  failed: (error: UpstreamError) => void,
): () => void {
  const socket = options.connect()
  let session: ClientHttp2Session | undefined
  let settled = false
  const settle = (): boolean => {
    if (settled) return false
    settled = true
    clearTimeout(timer)
    return true
  }
  const fail = (error: UpstreamError): void => {
    if (!settle()) return
    session?.destroy()
    socket.destroy()
    failed(error)
  }
  const timer = setTimeout(() => {
    fail(new UpstreamError('connect-timeout', 'nothing', 'The target did not accept the connection in time.'))
  }, options.connectMs)
  let isReached = false
  socket.once('connect', () => (isReached = socket instanceof TLSSocket))
  socket.on('error', (cause) => fail(toConnectError(cause, isReached)))
  socket.once('close', () => fail(new UpstreamError('connect', 'nothing', 'The target closed the connection at once.')))
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
    if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
      fail(new UpstreamError('protocol', 'nothing', 'The target does not offer HTTP/2 by ALPN.'))
      return
    }
    session = speakHttp2(socket)
    session.on('error', (cause) => {
      fail(new UpstreamError('protocol', 'nothing', 'The target does not speak HTTP/2.', cause))
    })
    // A server's SETTINGS are the first thing it sends (RFC 9113 §3.4): only then its limits are known.
    session.once('remoteSettings', () => {
      if (session !== undefined && settle()) opened(session)
    })
  })
  return () => {
    if (!settle()) return
    session?.destroy()
    socket.destroy()
  }
}

function speakHttp2(socket: Socket): ClientHttp2Session {
  const options = {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES, maxHeaderListSize: MAX_SECTION_BYTES },
    maxHeaderListPairs: MAX_FIELDS,
    maxSessionMemory: SESSION_MEMORY_MB,
    // A field that a client repeated is the target's to judge.
    strictSingleValueFields: false,
  }
  // The URL only fills pseudo fields that a request leaves out, which none does.
  const session = nodeHttp2().connect('http://upstream', options)
  session.setLocalWindowSize(SESSION_WINDOW_BYTES)
  return session
}
