/** A log whose events a test can wait for and look at. */
import { pino } from 'pino'
import type { Log } from '../src/kernel/log.ts'

export interface CapturedEvent {
  readonly msg: string
  readonly level: number
  readonly [fact: string]: unknown
}

export interface CapturedLog {
  readonly log: Log
  readonly events: CapturedEvent[]
  /** Settles with the next event, past or future, whose message is this one; each event is given once. */
  readonly next: (message: string) => Promise<CapturedEvent>
}

export function captureLog(): CapturedLog {
  const events: CapturedEvent[] = []
  const given = new Set<CapturedEvent>()
  const waiting = new Set<() => void>()
  const write = (line: string): void => {
    events.push(JSON.parse(line))
    for (const look of waiting) look()
  }
  const next = (message: string): Promise<CapturedEvent> =>
    new Promise((resolve) => {
      const look = (): void => {
        const event = events.find((each) => each.msg === message && !given.has(each))
        if (event === undefined) return
        given.add(event)
        waiting.delete(look)
        resolve(event)
      }
      waiting.add(look)
      look()
    })
  return { log: pino({ level: 'trace', base: null }, { write }), events, next }
}
