/**
 * The access log of one thread: lines are collected as bytes and written in large pieces, one at a time. When the output
 * is slower than the traffic, lines beyond a bound are dropped and counted; nothing ever waits for the log.
 */
import type { ExchangeRecord } from '../kernel/record.ts'
import { toLogLine } from './access-log-line.ts'

/** The main thread has 140 µs of work with a piece, however long it is: with 64 KiB that was 3 % of all work under load. */
const PIECE_BYTES = 131_072
/** One is filled, one is written, one may be on its way back. */
const MAX_SPARE = 2
const MAX_BYTES = 4_194_304
const MAX_DELAY_MS = 200

export interface AccessLogOptions {
  /**
   * Writes all bytes, which are whole lines; called again only when it is done. See `log-writer.ts`. What it resolves
   * with is memory for the next piece.
   */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
  /** Told of lines that were lost: the bound was reached, or a write failed. */
  dropped?(lines: number): void
  /** Most bytes that wait, those that are being written included. */
  readonly maxBytes?: number
}

export interface AccessLog {
  /** `routeText` is what `toRouteText` made of the record's route. */
  append(record: ExchangeRecord, routeText: string): void
  /** Lines that were lost since the start. */
  readonly dropped: number
  /** Resolves when all that was appended until now is written or lost. */
  flush(): Promise<void>
  /** Writes what is there; lines that come after are dropped. */
  close(): Promise<void>
}

interface Piece {
  readonly memory: Buffer<ArrayBuffer>
  bytes: number
  lines: number
}

/** Makes the log of one thread; nothing of it ever throws or waits on behalf of a request. */
export function createAccessLog(options: AccessLogOptions): AccessLog {
  return new BufferedAccessLog(options)
}

class BufferedAccessLog implements AccessLog {
  dropped = 0
  private readonly options: AccessLogOptions
  private readonly maxBytes: number
  /** Full pieces, oldest first; the one that is being written is not among them. */
  private readonly full: Piece[] = []
  private filling: Piece | undefined
  private waitingBytes = 0
  private writing: Promise<void> | undefined
  /** Memory of pieces that are written, for the next ones. */
  private readonly spare: Buffer<ArrayBuffer>[] = []
  private timer: NodeJS.Timeout | undefined
  private closed = false

  constructor(options: AccessLogOptions) {
    this.options = options
    this.maxBytes = options.maxBytes ?? MAX_BYTES
  }

  append(record: ExchangeRecord, routeText: string): void {
    const line = toLogLine(record, routeText)
    if (this.closed || this.waitingBytes + line.length > this.maxBytes) return this.drop(1)
    // Bytes at once, and no text that grows: that would be a tree of all the parts of all its lines until it is written.
    const piece = this.pieceFor(line.length)
    piece.bytes += piece.memory.write(line, piece.bytes, 'latin1')
    piece.lines++
    this.waitingBytes += line.length
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
    if (this.timer === undefined) this.timer = setTimeout(() => this.due(), MAX_DELAY_MS).unref()
    else this.timer.refresh()
  }

  /** While the output is blocked a piece is filled first: each takes its whole memory, however few its lines are. */
  private due(): void {
    if (this.writing === undefined) this.pushOut()
    else this.startTimer()
  }

  /** The piece that is being filled, when it has that much room, else the next one. */
  private pieceFor(bytes: number): Piece {
    const { filling } = this
    if (filling !== undefined) {
      if (filling.bytes + bytes <= filling.memory.length) return filling
      this.pushOut()
    } else this.startTimer()
    let memory = this.spare.pop()
    if (memory === undefined || memory.length < bytes) memory = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, bytes))
    return (this.filling = { memory, bytes: 0, lines: 0 })
  }

  private pushOut(): void {
    if (this.filling !== undefined) {
      this.full.push(this.filling)
      this.filling = undefined
    }
    if (this.full.length > 0) this.writing ??= this.writeAll()
  }

  private async writeAll(): Promise<void> {
    for (let piece = this.full.shift(); piece !== undefined; piece = this.full.shift()) {
      try {
        const written = await this.options.write(piece.memory.subarray(0, piece.bytes))
        if (this.spare.length < MAX_SPARE) this.spare.push(Buffer.from(written.buffer))
      } catch {
        // A log that cannot be written must not stop the traffic that it is about; the count tells of the loss.
        this.drop(piece.lines)
      }
      this.waitingBytes -= piece.bytes
    }
    this.writing = undefined
  }

  private drop(lines: number): void {
    this.dropped += lines
    this.options.dropped?.(lines)
  }
}
