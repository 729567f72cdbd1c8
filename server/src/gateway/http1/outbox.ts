/**
 * Where a connection's bytes go out. Messages leave together: while the event loop goes through the sockets that it found
 * readable, what is posted is held back, and released to the kernel when it has been through, last messages a few turns
 * later. Whoever receives them is woken once and finds work for a while, where it would be woken for each message and fall
 * asleep in between; waking another core is the most expensive part of a write.
 *
 * The one message that a connection posts until then waits here, past the socket's buffer, which costs more than the write
 * itself. Whatever follows sends it there, corked, so that all keeps its order and leaves in one call.
 */
import { performance } from 'node:perf_hooks'

/** The part of a socket that is written to. */
export interface WritableSocket {
  /** Bytes that were written and are not with the kernel yet. */
  readonly writableLength: number
  readonly destroyed: boolean
  /** Of sockets with TLS. */
  readonly encrypted?: boolean
  cork(): void
  uncork(): void
  write(bytes: Uint8Array): boolean
  write(text: string, encoding: 'latin1'): boolean
  end(finished?: () => void): unknown
  end(bytes: Uint8Array, finished?: () => void): unknown
  end(text: string, encoding: 'latin1', finished?: () => void): unknown
}

/** So many wait at most, lest the first waits for the last where a great many sockets are readable at once. */
const MOST_HELD = 32

/** Memory for messages that are held back, given out front to back and anew when they are with the kernel. */
const SHARED_BYTES = 65_536

/**
 * Where only last messages are held back, they wait for those of the next turns, up to so many and so long: a turn accepts
 * one connection at most, so where each request has a connection of its own, it would have no more than one of them.
 */
const MOST_ENDED = 16
const ENDED_MS = 1

/** Those that hold something back. */
let outboxes: Outbox[] = []
/** How many of them there were at the end of the turn before, and when the first of them began to. */
let heldBefore = 0
let heldSinceMs = 0
let memory = Buffer.allocUnsafeSlow(SHARED_BYTES)
let takenBytes = 0

export class Outbox {
  private readonly socket: WritableSocket
  /**
   * Not with TLS, which encrypts what it holds first: held back, the p99 at 8,000 requests/s rose from 1 ms to 7. It would
   * keep the bytes too.
   */
  private readonly holdsBack: boolean
  private held = false
  private message: string | Uint8Array | undefined
  private ended = false
  private finished: (() => void) | undefined

  constructor(socket: WritableSocket) {
    this.socket = socket
    this.holdsBack = socket.encrypted !== true
  }

  /** Whether what is held back is the last that the connection sends. */
  get isEnding(): boolean {
    return this.ended
  }

  /** Whether the message that was posted last is sure not to be with the kernel yet. */
  get isHolding(): boolean {
    return this.held
  }

  /** Whether the kernel has all that was written; what is posted may wait here all the same. */
  get isEmpty(): boolean {
    return this.socket.writableLength === 0
  }

  /** Writes a message that can wait until it is released. */
  post(message: string | Uint8Array): void {
    if (this.hold()) this.message = message
    else this.write(message)
  }

  /** The same with a head and a body, in one piece of at most 64 KiB. */
  postJoined(head: string, body: Uint8Array): void {
    const bytes = head.length + body.length
    if (!this.holdsBack) {
      this.write(join(Buffer.allocUnsafe(bytes), head, body))
      return
    }
    if (takenBytes + bytes > SHARED_BYTES) release()
    // Held before it takes memory, which is given out anew at every release.
    const isOnly = this.hold()
    const joined = join(memory.subarray(takenBytes, takenBytes + bytes), head, body)
    takenBytes += bytes
    if (isOnly) this.message = joined
    else this.write(joined)
  }

  /** Writes at once, or after what is held back and together with it. False when the socket asks to wait. */
  write(piece: string | Uint8Array): boolean {
    this.handOver()
    return this.pass(piece)
  }

  /** Writes several pieces in one call. */
  writeAll(...pieces: (string | Uint8Array)[]): boolean {
    let isFlowing = true
    this.socket.cork()
    for (const piece of pieces) isFlowing = this.write(piece)
    this.socket.uncork()
    return isFlowing
  }

  /** Ends the socket after all that was written, together with what is held back. To be called once. */
  end(finished?: () => void): void {
    this.ended = true
    this.finished = finished
    if (!this.held) this.finish(undefined)
  }

  /** Gives the socket what is held back. True when not all of it is with the kernel yet. */
  release(): boolean {
    const { socket, message } = this
    this.held = false
    this.message = undefined
    if (this.ended) this.finish(message)
    else if (message === undefined) socket.uncork()
    else if (!socket.destroyed) this.pass(message)
    return socket.writableLength > 0
  }

  /** From now to its release it keeps what is posted. False when it does already, or never. */
  private hold(): boolean {
    if (this.held || !this.holdsBack) return false
    if (outboxes.length === MOST_HELD) release()
    if (outboxes.length === 0) {
      heldSinceMs = performance.now()
      setImmediate(endTurn)
    }
    outboxes.push(this)
    this.held = true
    return true
  }

  /** What is held back goes to the socket's buffer and leaves from there, with what is written next. */
  private handOver(): void {
    const { message } = this
    if (message === undefined) return
    this.message = undefined
    this.socket.cork()
    this.pass(message)
  }

  /** Ends the socket, which is corked where something was written since it was held. */
  private finish(message: string | Uint8Array | undefined): void {
    const { socket, finished } = this
    if (socket.destroyed) return
    if (message === undefined) socket.end(finished)
    else if (typeof message === 'string') socket.end(message, 'latin1', finished)
    else socket.end(message, finished)
  }

  private pass(piece: string | Uint8Array): boolean {
    return typeof piece === 'string' ? this.socket.write(piece, 'latin1') : this.socket.write(piece)
  }
}

function join(joined: Buffer, head: string, body: Uint8Array): Buffer {
  joined.write(head, 0, 'latin1')
  joined.set(body, head.length)
  return joined
}

function endTurn(): void {
  const held = outboxes.length
  const isEarly = held < MOST_ENDED && performance.now() - heldSinceMs < ENDED_MS
  if (isEarly && held > heldBefore && outboxes.every(({ isEnding }) => isEnding)) {
    heldBefore = held
    setImmediate(endTurn)
  } else release()
}

function release(): void {
  const all = outboxes
  outboxes = []
  heldBefore = 0
  takenBytes = 0
  let isBehind = false
  for (const outbox of all) if (outbox.release()) isBehind = true
  // What is not with the kernel yet keeps this memory, and the next messages get other.
  if (isBehind) memory = Buffer.allocUnsafeSlow(SHARED_BYTES)
}
