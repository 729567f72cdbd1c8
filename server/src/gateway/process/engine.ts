/**
 * How V8 is set for threads that serve. It watches where long-lived objects are made and, once a collection meets much of
 * what is under way, makes all further objects of those places in the old generation. An exchange's fields are such
 * objects at every burst, and from then on each of them lives until the next full collection and holds its strings with
 * it: where it came to that, collections took 3 ms instead of 0.4 and full ones came twice a second, a p99 of 20 ms
 * instead of 1 at 8,000 requests/s. Nothing that belongs to an exchange is worth that guess.
 */
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'

/**
 * For a process that has one core. V8's four helping threads would take it for 4 ms each, one after the other, while the
 * thread that serves is ready to go on: 24 ms at the full collection that a reload may bring about.
 */
const ONE_CORE_FLAGS = [
  '--no-parallel-scavenge',
  '--no-parallel-compaction',
  '--no-parallel-pointer-update',
  '--concurrent-marking-max-worker-num=1',
]

/** To be called before the threads start; it holds for the whole process. */
export function setUpEngine(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
  if (availableParallelism() === 1) ONE_CORE_FLAGS.forEach((flag) => setFlagsFromString(flag))
}
