/** Counts the callers of deprecated versions in one thread; the main thread collects them. */
import { OTHER_CALLERS, type CallerCount, type Callers } from '../kernel/caller-counts.ts'

/** Half a second of one thread has few callers; whoever sends made-up names finds them counted together. */
const MOST_CALLERS = 5_000

export class CallerTally implements Callers {
  private readonly counts = new Map<string, { readonly count: Omit<CallerCount, 'requests'>; requests: number }>()

  called(api: string, apiVersion: string, consumer: string): void {
    const key = toKey(api, apiVersion, consumer)
    const known = this.counts.get(key)
    if (known !== undefined) known.requests++
    else if (this.counts.size < MOST_CALLERS || consumer === OTHER_CALLERS) {
      this.counts.set(key, { count: { api, apiVersion, consumer }, requests: 1 })
    } else this.called(api, apiVersion, OTHER_CALLERS)
  }

  /** What was counted since the last call. */
  take(): CallerCount[] {
    const taken = [...this.counts.values()].map(({ count, requests }) => ({ ...count, requests }))
    this.counts.clear()
    return taken
  }
}

/** Names of APIs and versions hold no line feed. */
function toKey(api: string, apiVersion: string, consumer: string): string {
  return `${api}\n${apiVersion}\n${consumer}`
}
