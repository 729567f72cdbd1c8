/**
 * Gives an accepted socket a read buffer of ours. `net.connect` takes one by `onread`, a server's sockets do not, and
 * without it every read allocates 64 KiB, shrinks it and goes through a stream: a third of what the gateway adds.
 *
 * The socket's handle moves to a new `net.Socket` that was made with `onread`. Where a socket has no such handle (TLS,
 * or a Node that keeps it elsewhere), the ordinary `data` events serve, so that this is speed and nothing else.
 */
import { Socket, type SocketConstructorOpts } from 'node:net'
import { READ_BUFFER } from './read-buffer.ts'

/** Told of bytes as they are read, from the start of `bytes` to `end`; `volatile` ones are overwritten afterwards. */
export type OnRead = (bytes: Buffer, end: number, volatile: boolean) => void

/** The part of a socket that its types leave out. */
interface HandleOwner {
  _handle: SocketConstructorOpts['handle'] | null
}

function hasHandle(socket: object): socket is HandleOwner {
  return '_handle' in socket && typeof socket._handle === 'object' && socket._handle !== null
}

/** Must be called while the socket is paused and unread (`pauseOnConnect`); the socket given is not used any more. */
export function adoptSocket(socket: Socket, createReader: (socket: Socket) => OnRead): Socket {
  if (!hasHandle(socket)) return readByEvents(socket, createReader)
  const handle = socket._handle ?? undefined
  let onRead: OnRead = () => undefined
  const options: SocketConstructorOpts = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer: READ_BUFFER,
      callback: (length: number) => {
        onRead(READ_BUFFER, length, true)
        return true
      },
    },
  }
  const adopted = new Socket(options)
  socket._handle = null
  onRead = createReader(adopted)
  adopted.resume()
  return adopted
}

/** For sockets whose bytes come by events: each read has a buffer of its own. */
export function readByEvents(socket: Socket, createReader: (socket: Socket) => OnRead): Socket {
  const onRead = createReader(socket)
  socket.on('data', (bytes: Buffer) => onRead(bytes, bytes.length, false))
  socket.resume()
  return socket
}
