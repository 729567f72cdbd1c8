/**
 * Frames of a client (RFC 9113 §6) as what they mean: padding taken off, header blocks put together, the order in which
 * they may come enforced, and those that carry nothing of a request counted against a budget.
 */
import { Budget } from './budget.ts'
import { FrameReader, type FrameHandler } from './frame-reader.ts'
import { checkFrame } from './frame-rules.ts'
import * as frames from './frames.ts'
import { HeaderBlock } from './header-block.ts'

/** Frames that carry nothing of a request; what we send earns more, because a client answers it with windows and PINGs. */
const CONTROL_FRAMES = { burst: 1_000, perSecond: 200 }
const EARNED_BY_FRAME = 3

/** A whole header block: bytes[start, end). */
export interface Section {
  readonly streamId: number
  readonly endsStream: boolean
  /** The stream was said to depend on itself (RFC 7540 §5.3.1). */
  readonly isSelfDependent: boolean
}

/** The connection, as its frames see it. */
export interface FrameTarget {
  readonly reads: boolean
  readonly maxBlockBytes: number
  /** An error of the connection (RFC 9113 §5.4.1). */
  die(code: number): void
  section(section: Section, bytes: Buffer, start: number, end: number): void
  /** `length` counts the padding as well, which windows do. */
  data(
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
    length: number,
    ends: boolean,
    volatile: boolean,
  ): void
  windowUpdate(streamId: number, bytes: number): void
  resetByClient(streamId: number): void
  peerSettings(bytes: Buffer, start: number, end: number): void
  ping(opaque: string, isAnswer: boolean): void
  /** A PRIORITY frame that can be none. */
  badPriority(streamId: number, code: number): void
}

export class FrameDispatch implements FrameHandler {
  private readonly target: FrameTarget
  private readonly reader: FrameReader
  private readonly control = new Budget(CONTROL_FRAMES.burst, CONTROL_FRAMES.perSecond)
  private block: (Section & { readonly content: HeaderBlock }) | undefined
  private settingsSeen = false
  private slowCount = -1
  private slowSinceMs = 0

  constructor(target: FrameTarget) {
    this.target = target
    this.reader = new FrameReader(this)
  }

  get reads(): boolean {
    return this.target.reads
  }

  receive(bytes: Buffer, end: number, volatile: boolean): void {
    this.reader.receive(bytes, end, volatile)
  }

  /** So many frames were sent, which the client may well answer. */
  earn(sentFrames: number): void {
    this.control.earn(sentFrames * EARNED_BY_FRAME)
  }

  /** Fills the budget; says whether a frame, a header block or the beginning is not whole after the time for it. */
  tick(nowMs: number, headMs: number): boolean {
    this.control.tick(nowMs)
    const { begun, count } = this.reader
    const isLonger = !this.settingsSeen || this.block !== undefined
    const isWaiting = isLonger || (begun !== undefined && begun !== frames.DATA)
    const isSame = isLonger || count === this.slowCount
    if (!isWaiting || !isSame || this.slowSinceMs === 0) this.slowSinceMs = isWaiting ? nowMs : 0
    this.slowCount = count
    return isWaiting && nowMs - this.slowSinceMs > headMs
  }

  broken(code: number): void {
    this.target.die(code)
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number, volatile: boolean): void {
    const { block, target } = this
    const isGreeting = type === frames.SETTINGS && (flags & frames.ACK) === 0
    if (!this.settingsSeen && !isGreeting) return target.die(frames.PROTOCOL_ERROR)
    // Between the frames of a header block there is nothing else (RFC 9113 §4.3).
    const goesOn = block === undefined || (type === frames.CONTINUATION && id === block.streamId)
    if (!goesOn) return target.die(frames.PROTOCOL_ERROR)
    const error = checkFrame(type, end - start, id)
    if (error !== frames.NO_ERROR) return target.die(error)
    switch (type) {
      case frames.HEADERS:
        return this.headers(flags, id, bytes, start, end)
      case frames.DATA:
        return this.data(flags, id, bytes, start, end, volatile)
      case frames.CONTINUATION:
        return this.continuation(flags, bytes, start, end)
      default:
        if (this.control.spend()) this.controlFrame(type, flags, id, bytes, start, end)
        else target.die(frames.ENHANCE_YOUR_CALM)
    }
  }

  private controlFrame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const { target } = this
    switch (type) {
      case frames.WINDOW_UPDATE:
        return target.windowUpdate(id, bytes.readUInt32BE(start) & 0x7fff_ffff)
      case frames.RST_STREAM:
        return target.resetByClient(id)
      case frames.SETTINGS:
        return this.settings(flags, bytes, start, end)
      case frames.PING:
        return target.ping(bytes.toString('latin1', start, end), (flags & frames.ACK) !== 0)
      case frames.PRIORITY:
        return this.priority(id, bytes, start, end)
      default:
      // GOAWAY is about streams of ours, which there are none of; what is unknown is ignored (RFC 9113 §5.5).
    }
  }

  private headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    let from = start
    let to = end
    if ((flags & frames.PADDED) !== 0) {
      to -= bytes[from] ?? 0
      from++
    }
    let isSelfDependent = false
    if ((flags & frames.WITH_PRIORITY) !== 0) {
      if (to - from >= 5) isSelfDependent = (bytes.readUInt32BE(from) & 0x7fff_ffff) === streamId
      from += 5
    }
    if (from > to) return this.target.die(start === end ? frames.FRAME_SIZE_ERROR : frames.PROTOCOL_ERROR)
    const section = { streamId, endsStream: (flags & frames.END_STREAM) !== 0, isSelfDependent }
    if ((flags & frames.END_HEADERS) !== 0) return this.target.section(section, bytes, from, to)
    this.block = { ...section, content: new HeaderBlock(this.target.maxBlockBytes) }
    if (!this.block.content.add(bytes, from, to)) this.target.die(frames.ENHANCE_YOUR_CALM)
  }

  private continuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const { block, target } = this
    if (block === undefined) return target.die(frames.PROTOCOL_ERROR)
    if (!block.content.add(bytes, start, end)) return target.die(frames.ENHANCE_YOUR_CALM)
    if ((flags & frames.END_HEADERS) === 0) return
    this.block = undefined
    const whole = block.content.join()
    target.section(block, whole, 0, whole.length)
  }

  private data(flags: number, id: number, bytes: Buffer, start: number, end: number, volatile: boolean): void {
    let from = start
    let to = end
    if ((flags & frames.PADDED) !== 0) {
      to -= bytes[from] ?? 0
      from++
      if (from > to || start === end)
        return this.target.die(start === end ? frames.FRAME_SIZE_ERROR : frames.PROTOCOL_ERROR)
    }
    const ends = (flags & frames.END_STREAM) !== 0
    // A body's last frame may well be empty; others that are have no use.
    if (from === to && !ends && !this.control.spend()) return this.target.die(frames.ENHANCE_YOUR_CALM)
    this.target.data(id, bytes, from, to, end - start, ends, volatile)
  }

  private settings(flags: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & frames.ACK) === 0) {
      this.settingsSeen = true
      this.target.peerSettings(bytes, start, end)
    } else if (end > start) this.target.die(frames.FRAME_SIZE_ERROR)
  }

  /** Priorities are not heard (RFC 9113 §5.3.2); only what can be no PRIORITY frame is an error. */
  private priority(id: number, bytes: Buffer, start: number, end: number): void {
    if (end - start !== 5) this.target.badPriority(id, frames.FRAME_SIZE_ERROR)
    else if ((bytes.readUInt32BE(start) & 0x7fff_ffff) === id) this.target.badPriority(id, frames.PROTOCOL_ERROR)
  }
}
