/** Events of the process itself, as JSON lines; request lines have their own writer (`gateway/access-log.ts`). */
import { pino, type Logger } from 'pino'

export type Log = Logger

/** Where Headgate's events go: standard error, so that standard output stays the access log alone. */
export function createLog(level: string): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }))
}
