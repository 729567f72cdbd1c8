/**
 * Opens a socket to a target, plain or TLS, for whatever speaks on it. Names were resolved before: connecting asks no
 * DNS, except for a name that could not be resolved yet.
 */
import { connect, isIP, type LookupFunction, type Socket, type TcpSocketConnectOpts } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { READ_BUFFER } from '../http1/read-buffer.ts'
import type { OnRead } from '../http1/read-socket.ts'
import type { Endpoint } from './endpoint.ts'
import { toTlsOptions, type UpstreamTls } from './tls-options.ts'

/** What a connection needs to know of its target, and what it leaves for the next one. */
export interface Connectable {
  readonly endpoint: Endpoint
  tlsSession: Buffer | undefined
}

/** Time for one address before the next one of the name is tried beside it (RFC 8305 §5). */
const NEXT_ADDRESS_MS = 250

const KEEP_ALIVE_AFTER_MS = 30_000

/**
 * The socket can be used from its event `connect` on, or `secureConnect` when `tls` is given. With `onRead` it is read
 * at once, without `data` events; without it the socket is like any other.
 */
export function openSocket(target: Connectable, tls: UpstreamTls | undefined, onRead?: OnRead): Socket {
  const address = toAddressOptions(target.endpoint)
  const socket = tls === undefined ? openPlain(address, onRead) : openTls(target, tls, address, onRead)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS)
  return socket
}

function openPlain(address: TcpSocketConnectOpts, onRead: OnRead | undefined): Socket {
  if (onRead === undefined) return connect(address)
  const callback = (readBytes: number): boolean => {
    onRead(READ_BUFFER, readBytes, true)
    return true
  }
  return connect({ ...address, onread: { buffer: READ_BUFFER, callback } })
}

function openTls(target: Connectable, tls: UpstreamTls, address: TcpSocketConnectOpts, onRead?: OnRead): Socket {
  const socket = connectTls({ ...address, ...toTlsOptions(tls, target.endpoint, target.tlsSession) })
  socket.on('session', (session) => (target.tlsSession = session))
  // TLS sockets ignore `onread`: what they decrypt comes in buffers of its own.
  if (onRead !== undefined) socket.on('data', (bytes: Buffer) => onRead(bytes, bytes.length, false))
  return socket
}

/** Several addresses of one name go through Node's Happy Eyeballs (RFC 8305), with our answer in place of a lookup. */
function toAddressOptions({ addresses, host, port }: Endpoint): TcpSocketConnectOpts {
  const [first] = addresses
  if (first === undefined || addresses.length === 1) return { host: first ?? host, port }
  const all = addresses.map((address) => ({ address, family: isIP(address) }))
  const lookup: LookupFunction = (_name, options, done) => {
    if (options.all === true) done(null, all)
    else done(null, first, isIP(first))
  }
  return { host, port, lookup, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS }
}
