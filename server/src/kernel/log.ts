/** Events of the process itself, as JSON lines; request lines have their own writer (`gateway/access-log.ts`). */
import { pino, type Logger } from 'pino'

export type Log = Logger

/** Takes whole lines. */
export interface EventOutput {
  write(line: string): void
}

/** What of a stream is used: standard error's. */
interface LineStream extends EventOutput {
  readonly writableLength: number
}

/** Lines that wait for a reader who is too slow, in characters; more are lost, since nothing may wait for a log. */
const MAX_WAITING_CHARS = 1_048_576

/** Where Headgate's events go: standard error, so that standard output stays the access log alone. */
export class EventWriter implements EventOutput {
  /** Lines that were lost. */
  dropped = 0
  private untold = 0
  private readonly stream: LineStream

  constructor(stream: LineStream) {
    this.stream = stream
  }

  write(line: string): void {
    const { stream } = this
    if (stream.writableLength + line.length > MAX_WAITING_CHARS) {
      this.dropped++
      this.untold++
      return
    }
    if (this.untold > 0) {
      const told = { level: 40, time: new Date().toISOString(), lines: this.untold, msg: 'events were lost' }
      this.untold = 0
      stream.write(`${JSON.stringify(told)}\n`)
    }
    stream.write(line)
  }
}

export function createLog(level: string, output: EventOutput): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, output)
}
