/** Work on documents of others in a process of its own, with bounds on its time and memory that hold whatever it does. */
import { fork } from 'node:child_process'
import { getPriority, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'

/** Traffic comes first, also where both share one core. */
const NICENESS = 5
const MAX_HEAP_MB = 3_072

export interface ChildWork {
  /** A module that is told of its order by one message, answers with one, and ends. */
  readonly entry: URL
  readonly order: object
  readonly mostMs: number
  /** What is being done, for faults of ours. */
  readonly what: string
}

export type ChildResult<Outcome> =
  | { readonly kind: 'done'; readonly outcome: Outcome }
  /** A bound was met: a sentence that follows a subject. */
  | { readonly kind: 'bounded'; readonly why: string }

/** Rejects when the process failed in another way than by meeting its bounds. */
export function runInChild<Outcome>({ entry, order, mostMs, what }: ChildWork): Promise<ChildResult<Outcome>> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(entry), {
      execArgv: [`--max-old-space-size=${MAX_HEAP_MB}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    // Less than this process has may be asked for by the superuser alone, and what is refused throws.
    if (child.pid !== undefined) setPriority(child.pid, Math.max(NICENESS, getPriority()))
    let why: string | undefined
    const timer = setTimeout(() => {
      why = `takes more than ${mostMs} ms to ${what}`
      child.kill('SIGKILL')
    }, mostMs)
    let told = false
    child.once('message', (outcome: Outcome) => {
      told = true
      resolve({ kind: 'done', outcome })
    })
    // Every time: what nobody hears ends this process. One that cannot be started says so, and again when it is written to.
    child.on('error', reject)
    // Not when it exits: what it said last may still be to be read.
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (told) return
      // V8 aborts a process that has used up its heap.
      if (signal === 'SIGABRT' || code === 134) why ??= `needs more than ${MAX_HEAP_MB} MB of memory to ${what}`
      if (why !== undefined) resolve({ kind: 'bounded', why })
      else reject(new Error(`the process that is to ${what} a document ended early (${signal ?? code})`))
    })
    if (child.pid !== undefined) child.send(order)
  })
}
