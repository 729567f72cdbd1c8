/** Warns of what may happen at every request: at once, and then once a minute with how often it was. */
import type { PolicyServices } from './policy-services.ts'

const PERIOD_MS = 60_000

/** Returns what to call each time that it happens. */
export function createRareWarning({ clock, log, policyId }: PolicyServices, message: string): () => void {
  let times = 0
  let nextMs = -Infinity
  return () => {
    times++
    const nowMs = clock.monotonicMs()
    if (nowMs < nextMs) return
    log.warn({ policy: policyId, times }, message)
    times = 0
    nextMs = nowMs + PERIOD_MS
  }
}
