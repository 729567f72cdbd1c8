/**
 * Everything that one connection sends. Control frames and field sections go in the order in which they are asked for;
 * DATA goes as far as windows and the socket allow, a frame of each stream in turn, so that none starves (RFC 9113 §5.2).
 */
import type { Socket } from 'node:net'
import { DATA, DEFAULT_WINDOW_BYTES, END_STREAM, MAX_FRAME_BYTES, MAX_WINDOW_BYTES } from './frames.ts'
import { Output } from './output.ts'
import { toFrameHead } from './write-frames.ts'

/** So much is given to the socket before it is asked whether it can take more. */
const STEP_BYTES = 65_536

/** A stream that has DATA to send, or an end. */
export interface SendingStream {
  readonly id: number
  /** What the peer allows on this stream. */
  sendWindow: number
  /** Bytes of DATA that wait. */
  readonly queuedBytes: number
  /** Whether an end is to be sent as soon as no bytes wait. */
  readonly endsNext: boolean
  /** Sends one frame of at most `maxBytes`, or the end. */
  sendNext(maxBytes: number): void
}

/** Connections that have something to flush after this turn of the event loop. */
let scheduled: Sender[] = []

function flushScheduled(): void {
  const due = scheduled
  scheduled = []
  for (const sender of due) sender.flush()
}

export class Sender {
  window = DEFAULT_WINDOW_BYTES
  /** Since when the socket takes nothing; 0 while it does. */
  blockedSinceMs = 0
  /** Bytes of control frames since the socket last took everything. */
  controlBytes = 0
  private readonly socket: Socket
  private readonly output: Output
  private readonly ready: SendingStream[] = []
  private isScheduled = false
  private sentFrames = 0

  constructor(socket: Socket) {
    this.socket = socket
    this.output = new Output(socket)
  }

  get blocked(): boolean {
    return this.blockedSinceMs > 0
  }

  /** Bytes that the peer has not taken yet. */
  get waitingBytes(): number {
    return this.output.waitingBytes + this.socket.writableLength
  }

  /** Frames that answer a peer's frames: bounded by the connection, as a peer may ask for them and never read. */
  control(frame: string): void {
    this.controlBytes += frame.length
    this.output.addText(frame)
  }

  /** Field sections, and other frames that no peer can ask for at will. */
  section(frames: string): void {
    this.sentFrames++
    this.output.addText(frames)
  }

  /** How many frames with something of an answer were sent since this was asked. */
  takeSentFrames(): number {
    const sent = this.sentFrames
    this.sentFrames = 0
    return sent
  }

  /** Whether bytes of a stream may go at once, before nobody who waits. */
  mayPass(bytes: number, sendWindow: number): boolean {
    return (
      bytes <= MAX_FRAME_BYTES &&
      bytes <= sendWindow &&
      bytes <= this.window &&
      this.ready.length === 0 &&
      !this.blocked
    )
  }

  data(streamId: number, bytes: Uint8Array, ends: boolean): void {
    this.window -= bytes.length
    this.sentFrames++
    this.output.addText(toFrameHead(bytes.length, DATA, ends ? END_STREAM : 0, streamId))
    if (bytes.length > 0) this.output.addBytes(bytes)
  }

  /** Puts a stream into the row of those that have something to send. */
  enqueue(stream: SendingStream): void {
    if (!this.ready.includes(stream)) this.ready.push(stream)
    this.schedule()
  }

  forget(stream: SendingStream): void {
    const at = this.ready.indexOf(stream)
    if (at !== -1) this.ready.splice(at, 1)
  }

  /** Flushes once what else happens in this turn of the event loop is done, so that it goes out together. */
  schedule(): void {
    if (this.isScheduled) return
    this.isScheduled = true
    if (scheduled.push(this) === 1) setImmediate(flushScheduled)
  }

  flush(): void {
    this.isScheduled = false
    if (this.socket.destroyed) return
    do this.pump()
    while (this.write() && this.ready.some((stream) => this.canSend(stream)))
  }

  /** The peer opens the connection's window; false when it would be larger than any may be (RFC 9113 §6.9.1). */
  widen(bytes: number): boolean {
    this.window += bytes
    if (this.ready.length > 0) this.schedule()
    return this.window <= MAX_WINDOW_BYTES
  }

  drained(): void {
    this.blockedSinceMs = 0
    this.controlBytes = 0
    this.flush()
  }

  private pump(): void {
    let passed = 0
    while (passed < this.ready.length && !this.blocked && this.output.waitingBytes < STEP_BYTES) {
      const stream = this.ready.shift()
      if (stream === undefined) return
      if (!this.canSend(stream)) {
        // Those that only a window holds back keep their place in the row.
        this.ready.push(stream)
        passed++
        continue
      }
      passed = 0
      stream.sendNext(Math.min(this.window, stream.sendWindow, MAX_FRAME_BYTES))
      if ((stream.queuedBytes > 0 || stream.endsNext) && !this.ready.includes(stream)) this.ready.push(stream)
    }
  }

  private canSend(stream: SendingStream): boolean {
    return stream.queuedBytes === 0 ? stream.endsNext : stream.sendWindow > 0 && this.window > 0
  }

  private write(): boolean {
    const flowing = this.output.flush()
    if (flowing) {
      if (this.socket.writableLength === 0) this.controlBytes = 0
    } else if (!this.blocked) this.blockedSinceMs = performance.now()
    return flowing
  }
}
