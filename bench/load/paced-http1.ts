/** One HTTP/1.1 client connection of the paced generator, plain or TLS: one request in flight, answers with a Content-Length. */
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface PacedConnection {
  /** Sends the request; `onAnswer` of the connection tells when its response is complete. */
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

export function openHttp1(target: PacedTarget): void {
  const address = { host: '127.0.0.1', port: target.port, noDelay: true }
  const socket = target.tls ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address)
  const connection: PacedConnection = {
    send: (request) => void socket.write(request),
    close: () => void socket.destroy(),
  }
  let pending: Buffer = Buffer.alloc(0)
  socket.once(target.tls ? 'secureConnect' : 'connect', () => target.onReady(connection))
  socket.once('error', (error) => target.onBroken(connection, error.message))
  socket.once('end', () => target.onBroken(connection, 'closed by the gateway'))
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    const head = pending.indexOf(headEnd)
    if (head === -1) return
    const text = pending.toString('latin1', 0, head)
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
    if (length === undefined) return target.onBroken(connection, `an answer without Content-Length:\n${text}`)
    if (pending.length < head + 4 + Number(length)) return
    pending = Buffer.alloc(0)
    target.onAnswer(connection, Number(text.slice(9, 12)) === target.expectedStatus)
  })
}
