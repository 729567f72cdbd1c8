/** Long work on a thread that serves: done in slices, between which the event loop runs. */
import { performance } from 'node:perf_hooks'
import type { Pause } from '../kernel/snapshot-delivery.ts'

/** What a request may wait for one; the requests that came meanwhile are served before the next. */
const SLICE_MS = 2

/** Returns a function to await often: it lets the event loop run once the slice has had its time. */
export function createSlicer(): Pause {
  let untilMs = performance.now() + SLICE_MS
  return async () => {
    if (performance.now() < untilMs) return
    await new Promise((resolve) => setImmediate(resolve))
    untilMs = performance.now() + SLICE_MS
  }
}
