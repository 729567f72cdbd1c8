/**
 * Reads a client's socket into a buffer of ours. `net.connect` takes one by `onread`; sockets that are accepted do not, nor
 * those of TLS, and without it every read allocates memory, shrinks it and goes through a stream.
 *
 * Node keeps what `onread` says on the socket, below symbols that a socket made with `onread` shows. Where there are no
 * such, the ordinary `data` events serve, so that this is speed and nothing else.
 */
import { Socket } from 'node:net'
import { READ_BUFFER } from './read-buffer.ts'

/** Told of bytes as they are read, from the start of `bytes` to `end`; `volatile` ones are overwritten afterwards. */
export type OnRead = (bytes: Buffer, end: number, volatile: boolean) => void

const SLOTS = findSlots()

/** The part of a socket that its types leave out. */
interface BufferTaker {
  useUserBuffer(buffer: Buffer): void
}

/** Reads from now on; what the stream holds already comes first. To be called once, by whoever reads to the end. */
export function readSocket(socket: Socket, onRead: OnRead): void {
  const handle: unknown = Reflect.get(socket, '_handle')
  if (SLOTS === undefined || !takesBuffer(handle)) {
    socket.on('data', (bytes: Buffer) => onRead(bytes, bytes.length, false))
    socket.resume()
    return
  }
  handle.useUserBuffer(READ_BUFFER)
  Reflect.set(socket, SLOTS.buffer, READ_BUFFER)
  Reflect.set(socket, SLOTS.callback, (length: number) => {
    onRead(READ_BUFFER, length, true)
    return true
  })
  // A TLS client's first request may come with the end of its handshake, before anybody reads.
  if (socket.readableLength > 0) {
    for (let kept: Buffer | null = socket.read(); kept !== null; kept = socket.read()) onRead(kept, kept.length, false)
  }
  socket.resume()
}

function takesBuffer(handle: unknown): handle is BufferTaker {
  return typeof handle === 'object' && handle !== null && 'useUserBuffer' in handle
}

function findSlots(): { buffer: symbol; callback: symbol } | undefined {
  const told = (): boolean => true
  const sample = new Socket({ onread: { buffer: READ_BUFFER, callback: told } })
  const symbols = Object.getOwnPropertySymbols(sample)
  const buffer = symbols.find((symbol) => Reflect.get(sample, symbol) === READ_BUFFER)
  const callback = symbols.find((symbol) => Reflect.get(sample, symbol) === told)
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback }
}
