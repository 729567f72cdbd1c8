/**
 * How V8 is set for threads that serve. It watches where long-lived objects are made and, once a collection meets much of
 * what is under way, makes all further objects of those places in the old generation. An exchange's fields are such
 * objects at every burst, and from then on each of them lives until the next full collection and holds its strings with
 * it: where it came to that, collections took 3 ms instead of 0.4 and full ones came twice a second, a p99 of 20 ms
 * instead of 1 at 8,000 requests/s. Nothing that belongs to an exchange is worth that guess.
 *
 * And the way of an exchange through the gateway is many small functions, of which V8 joins more than twice as much into
 * one as it would by itself: 1 to 2.5 % less processor time.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, setPriority } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** An exchange's garbage dies young: more room here is only more memory, less makes it be copied. */
export const YOUNG_HEAP_MB = 22

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
/**
 * Of those threads where there is one core: marking beside a thread that serves 8,000 requests/s took half of it for
 * 80 ms, and requests waited for 60. More cores have room for them, and a collection there waits for what they took on.
 */
const HELPER_NICENESS = 10

/** To be called before the threads start; it holds for the whole process. */
export function setUpEngine(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=2000')
  if (availableParallelism() > 1) return
  ONE_CORE_FLAGS.forEach((flag) => setFlagsFromString(flag))
  yieldHelpers()
}

/**
 * Gives back what starting left behind on the calling thread, some 8 MB. One that only supervises makes so little garbage
 * afterwards that V8 would never look for it. Takes 50 to 130 ms: pages go back to the system only after a second look.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

/** The kernel takes a thread's id for a process's, and V8 has started its threads by now. */
function yieldHelpers(): void {
  for (const id of threadIds()) {
    try {
      const name = readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()
      if (name.endsWith('V8Worker')) setPriority(Number(id), HELPER_NICENESS)
    } catch {
      // It has ended, or is nicer already and may not be made less so: it stays as it is.
    }
  }
}

/** None where there is no Linux. */
function threadIds(): string[] {
  try {
    return readdirSync('/proc/self/task')
  } catch {
    return []
  }
}
