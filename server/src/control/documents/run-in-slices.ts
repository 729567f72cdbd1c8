/** Work of many short steps in the process that answers everybody: done in slices, between which others are answered. */
import { performance } from 'node:perf_hooks'
import type { Steps } from '../../config/steps.ts'

/** What anybody waits for one; a step that takes longer is a slice of its own. */
const SLICE_MS = 10

/** What the steps come to; undefined when they have worked for so long without an end, and are left. */
export async function runInSlices<Result>(steps: Steps<Result>, mostMs: number): Promise<Result | undefined> {
  let workedMs = 0
  while (workedMs < mostMs) {
    const startedAt = performance.now()
    let sliceMs = 0
    while (sliceMs < SLICE_MS) {
      const step = steps.next()
      if (step.done === true) return step.value
      sliceMs = performance.now() - startedAt
    }
    workedMs += sliceMs
    await new Promise((resolve) => setImmediate(resolve))
  }
  return undefined
}
