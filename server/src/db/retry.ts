/** Runs a transaction again when another was in its way, a bounded number of times and ever later. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isConflict } from './errors.ts'

const firstPauseMs = 2
const longestPauseMs = 200
const patienceMs = 5000

/** Gives up with the last conflict after five seconds. */
export async function retryConflicts<T>(attempt: () => Promise<T>): Promise<T> {
  const givesUpAt = performance.now() + patienceMs
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await attempt()
    } catch (error) {
      if (!isConflict(error) || performance.now() + pauseMs > givesUpAt) throw error
      // Half of the pause is left to chance, so that two that met do not meet again.
      await sleep(pauseMs * (0.5 + Math.random() / 2))
    }
  }
}
