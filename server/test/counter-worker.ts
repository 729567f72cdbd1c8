/** A thread that takes from a shared limit as fast as it can, for tests of what threads share. */
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../src/kernel/clock.ts'
import { createCounters, type CounterMemory } from '../src/kernel/counter-table.ts'

export interface CounterWork {
  readonly memory: CounterMemory
  readonly worker: number
  readonly algorithm: 'tokenBucket' | 'fixedWindow' | 'slidingWindow' | 'gauge'
  readonly limit: number
  /** Long enough that no test sees its end. */
  readonly windowMs: number
  readonly keys: readonly string[]
  readonly takes: number
  /** Word 0 opens the race; word 1 + key counts what was granted; the last counts the takes of all workers. */
  readonly shared: Int32Array
}

function createTake({ memory, worker, algorithm, limit, windowMs }: CounterWork): (key: string) => boolean {
  const counters = createCounters(memory, systemClock, worker)
  if (algorithm === 'gauge') {
    const gauge = counters.gauge('race', limit)
    return (key) => gauge.enter(key)
  }
  const limiter =
    algorithm === 'tokenBucket'
      ? counters.tokenBucket('race', limit, windowMs, limit)
      : counters[algorithm]('race', limit, windowMs)
  return (key) => limiter.take(key, 1)
}

const work: CounterWork = workerData
const take = createTake(work)
const { shared, keys } = work
parentPort?.postMessage('ready')
Atomics.wait(shared, 0, 0)
for (let round = 0; round < work.takes; round++) {
  const at = round % keys.length
  if (take(keys[at] ?? '')) Atomics.add(shared, 1 + at, 1)
  Atomics.add(shared, 1 + keys.length, 1)
}
parentPort?.postMessage('done')
