/** A thread that takes from a shared quota as fast as it can, for tests of what threads share. */
import { parentPort, workerData } from 'node:worker_threads'
import { createCalendar } from '../src/kernel/calendar.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { createQuotas } from '../src/kernel/quota-table.ts'

export interface QuotaWork {
  readonly memory: SharedArrayBuffer
  readonly limit: number
  readonly keys: readonly string[]
  readonly takes: number
  /** A word for each key, and one that opens the race. */
  readonly granted: Int32Array
}

const work: QuotaWork = workerData
const quotas = createQuotas(work.memory, systemClock, (name) => parentPort?.postMessage(name))
// No test sees the end of a year, but for one that runs in its last second.
const limiter = quotas.calendar('race', work.limit, createCalendar('year', 'UTC'), false)
parentPort?.postMessage('ready')
Atomics.wait(work.granted, work.keys.length, 0)
for (let round = 0; round < work.takes; round++) {
  const at = round % work.keys.length
  if (limiter.take(work.keys[at] ?? '', 1)) Atomics.add(work.granted, at, 1)
}
