/**
 * Faults in the event log, in lines that cannot flood it: some faults, such as an expression that fails, happen as
 * often as callers like, each with a stack of a kilobyte, and the event log is written at once. None is without its record.
 */
import type { Exchange } from '../kernel/exchange.ts'

/** Lines in one period; what is beyond is counted and told with the next line. */
const MOST_LINES = 20
const PERIOD_MS = 10_000

export interface FaultLogOptions {
  error(facts: Readonly<Record<string, unknown>>, message: string): void
  monotonicMs(): number
}

export function createFaultLog(options: FaultLogOptions): (exchange: Exchange, cause: unknown) => void {
  let periodEndMs = -Infinity
  let lines = 0
  let unlogged = 0
  return (exchange, cause) => {
    const nowMs = options.monotonicMs()
    if (nowMs >= periodEndMs) {
      periodEndMs = nowMs + PERIOD_MS
      lines = 0
    }
    if (lines >= MOST_LINES) {
      unlogged++
      return
    }
    lines++
    const facts = { err: cause, request: exchange.id, route: exchange.route?.id }
    options.error(unlogged === 0 ? facts : { ...facts, unlogged }, 'a fault of the gateway')
    unlogged = 0
  }
}
