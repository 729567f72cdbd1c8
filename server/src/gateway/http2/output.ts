/** What waits to be written to one socket: texts and bytes that go out by one call. */
import type { Socket } from 'node:net'

/** Up to this, copying everything into one buffer costs less than handing over a list. */
const JOIN_BYTES = 32_768

export class Output {
  /** Bytes that wait here; the socket may hold more. */
  waitingBytes = 0
  private readonly socket: Socket
  private pieces: (string | Uint8Array)[] = []
  /** The last piece while it is text, so that frame heads and sections become one string. */
  private text = ''

  constructor(socket: Socket) {
    this.socket = socket
  }

  addText(text: string): void {
    this.text += text
    this.waitingBytes += text.length
  }

  addBytes(bytes: Uint8Array): void {
    this.endText()
    this.pieces.push(bytes)
    this.waitingBytes += bytes.length
  }

  /** Returns false when the socket asks to wait for its `drain`. */
  flush(): boolean {
    const total = this.waitingBytes
    if (total === 0) return true
    this.waitingBytes = 0
    const { socket } = this
    if (this.pieces.length === 0) {
      const { text } = this
      this.text = ''
      return socket.write(text, 'latin1')
    }
    this.endText()
    const { pieces } = this
    this.pieces = []
    if (total <= JOIN_BYTES) return socket.write(join(pieces, total))
    socket.cork()
    let flowing = true
    for (const piece of pieces)
      flowing = typeof piece === 'string' ? socket.write(piece, 'latin1') : socket.write(piece)
    socket.uncork()
    return flowing
  }

  private endText(): void {
    if (this.text === '') return
    this.pieces.push(this.text)
    this.text = ''
  }
}

function join(pieces: readonly (string | Uint8Array)[], total: number): Buffer {
  const joined = Buffer.allocUnsafe(total)
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') joined.write(piece, at, 'latin1')
    else joined.set(piece, at)
    at += piece.length
  }
  return joined
}
