/** Runs a transaction again when another was in its way, a bounded number of times and ever later. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isConflict, StoreUnavailableError } from './errors.ts'

const firstPauseMs = 2
const longestPauseMs = 200
const patienceMs = 5000

/** Gives up after five seconds. */
export async function retryConflicts<T>(attempt: () => Promise<T>): Promise<T> {
  const givesUpAt = performance.now() + patienceMs
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await attempt()
    } catch (error) {
      if (!isConflict(error)) throw error
      if (performance.now() + pauseMs > givesUpAt)
        throw new StoreUnavailableError('Others were writing to the store for too long.', { cause: error })
      // Half of the pause is left to chance, so that two that met do not meet again.
      await sleep(pauseMs * (0.5 + Math.random() / 2))
    }
  }
}
