/** One HTTP/1.1 client connection of the paced generator, plain or TLS: one request in flight, answers with a Content-Length. */
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface PacedConnection {
  /** Number of the request under way, −1 without one. */
  request: number
  /** Sends the request; `onAnswer` of the target tells when its response is complete. */
  send: (request: Buffer) => void
  close: () => void
}

export interface PacedTarget {
  port: number
  tls: boolean
  expectedStatus: number
  onReady: (connection: PacedConnection) => void
  onAnswer: (connection: PacedConnection, ok: boolean) => void
  onBroken: (connection: PacedConnection, reason: string) => void
}

const headEnd = Buffer.from('\r\n\r\n')

/** All sockets are read into one piece of memory, one after the other: a buffer for each answer would soon be garbage. */
const readBuffer = Buffer.allocUnsafeSlow(65_536)

export function openHttp1(target: PacedTarget): void {
  const address = { host: '127.0.0.1', port: target.port, noDelay: true }
  const takeShared = (bytes: number): boolean => {
    take(readBuffer.subarray(0, bytes), true)
    return true
  }
  // TLS sockets ignore `onread`.
  const socket = target.tls
    ? connectTls({ ...address, rejectUnauthorized: false })
    : connect({ ...address, onread: { buffer: readBuffer, callback: takeShared } })
  const connection: PacedConnection = {
    request: -1,
    send: (request) => void socket.write(request),
    close: () => void socket.destroy(),
  }
  let pending: Buffer | undefined
  const take = (chunk: Buffer, isShared: boolean): void => {
    const bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk])
    pending = undefined
    const head = bytes.indexOf(headEnd)
    const bodyBytes = head === -1 ? 0 : contentLength(bytes, head)
    if (Number.isNaN(bodyBytes))
      return target.onBroken(connection, `an answer without Content-Length:\n${bytes.toString('latin1', 0, head)}`)
    const isWhole = head !== -1 && bytes.length >= head + 4 + bodyBytes
    if (isWhole) target.onAnswer(connection, Number(bytes.toString('latin1', 9, 12)) === target.expectedStatus)
    else pending = isShared && bytes === chunk ? Buffer.from(chunk) : bytes
  }
  if (target.tls) socket.on('data', (chunk: Buffer) => take(chunk, false))
  socket.once(target.tls ? 'secureConnect' : 'connect', () => target.onReady(connection))
  socket.once('error', (error) => target.onBroken(connection, error.message))
  socket.once('end', () => target.onBroken(connection, 'closed by the gateway'))
}

function contentLength(bytes: Buffer, head: number): number {
  return Number(/\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', 0, head))?.[1])
}
