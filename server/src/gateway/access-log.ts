/**
 * The access log of one thread: lines are collected as text and written in large pieces, one at a time. When the output
 * is slower than the traffic, lines beyond a bound are dropped and counted; nothing ever waits for the log.
 */
import type { ExchangeRecord } from '../kernel/record.ts'
import { toLogLine } from './access-log-line.ts'

const PIECE_CHARS = 65_536
/** Holds a piece of plain text, whose last line may go beyond its bound. */
const MEMORY_BYTES = 2 * PIECE_CHARS
const MAX_CHARS = 4_194_304
const MAX_DELAY_MS = 200

export interface AccessLogOptions {
  /**
   * Writes all bytes, which are whole lines; called again only when it is done. See `log-writer.ts`. What it resolves
   * with, if anything, is memory for the next piece.
   */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | void>
  /** Told of lines that were lost: the bound was reached, or a write failed. */
  dropped?(lines: number): void
  /** Most characters that wait, those that are being written included. */
  readonly maxChars?: number
}

export interface AccessLog {
  append(record: ExchangeRecord): void
  /** Lines that were lost since the start. */
  readonly dropped: number
  /** Resolves when all that was appended until now is written or lost. */
  flush(): Promise<void>
  /** Writes what is there; lines that come after are dropped. */
  close(): Promise<void>
}

interface Piece {
  text: string
  lines: number
}

/** Makes the log of one thread; nothing of it ever throws or waits on behalf of a request. */
export function createAccessLog(options: AccessLogOptions): AccessLog {
  return new BufferedAccessLog(options)
}

class BufferedAccessLog implements AccessLog {
  dropped = 0
  private readonly options: AccessLogOptions
  private readonly maxChars: number
  private readonly encoder = new TextEncoder()
  /** Full pieces, oldest first; the one that is being written is not among them. */
  private readonly full: Piece[] = []
  private filling: Piece = { text: '', lines: 0 }
  private waitingChars = 0
  private writing: Promise<void> | undefined
  private spare: Uint8Array<ArrayBuffer> | undefined
  private timer: NodeJS.Timeout | undefined
  private closed = false

  constructor(options: AccessLogOptions) {
    this.options = options
    this.maxChars = options.maxChars ?? MAX_CHARS
  }

  append(record: ExchangeRecord): void {
    const line = toLogLine(record)
    if (this.closed || this.waitingChars + line.length > this.maxChars) return this.drop(1)
    const { filling } = this
    if (filling.lines === 0) this.startTimer()
    filling.text += line
    filling.lines++
    this.waitingChars += line.length
    if (filling.text.length >= PIECE_CHARS) this.pushOut()
  }

  async flush(): Promise<void> {
    this.pushOut()
    await this.writing
  }

  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.timer)
    await this.flush()
  }

  /** Runs only while lines wait, and keeps no process alive. */
  private startTimer(): void {
    if (this.timer === undefined) this.timer = setTimeout(() => this.pushOut(), MAX_DELAY_MS).unref()
    else this.timer.refresh()
  }

  private pushOut(): void {
    if (this.filling.lines > 0) {
      this.full.push(this.filling)
      this.filling = { text: '', lines: 0 }
    }
    if (this.full.length > 0) this.writing ??= this.writeAll()
  }

  private async writeAll(): Promise<void> {
    for (let piece = this.full.shift(); piece !== undefined; piece = this.full.shift()) {
      try {
        this.spare = (await this.options.write(this.toBytes(piece.text))) ?? undefined
      } catch {
        // A log that cannot be written must not stop the traffic that it is about; the count tells of the loss.
        this.drop(piece.lines)
      }
      this.waitingChars -= piece.text.length
    }
    this.writing = undefined
  }

  /** Encodes into the memory of an earlier piece when it is there and large enough. */
  private toBytes(text: string): Uint8Array<ArrayBuffer> {
    const memory = this.spare ?? new Uint8Array(MEMORY_BYTES)
    this.spare = undefined
    const whole = new Uint8Array(memory.buffer)
    const { read, written } = this.encoder.encodeInto(text, whole)
    return read === text.length ? whole.subarray(0, written) : this.encoder.encode(text)
  }

  private drop(lines: number): void {
    this.dropped += lines
    this.options.dropped?.(lines)
  }
}
