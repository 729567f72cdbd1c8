/** Something that a process does again and again in the background, never twice at once, until it is stopped. */
import { LeaseLostError } from '../db/lease.ts'
import type { Log } from '../kernel/log.ts'

export interface BackgroundLoop {
  readonly start: () => void
  /** Resolves when what is under way has ended. */
  stop(): Promise<void>
}

interface LoopOptions {
  /** Names it in the log. */
  readonly what: string
  /** Time between the end of one run and the next. */
  readonly everyMs: number
  readonly log: Log
  readonly run: () => Promise<void>
}

export function createBackgroundLoop({ what, everyMs, log, run }: LoopOptions): BackgroundLoop {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  let isStopped = false
  let isFailing = false
  const fail = (cause: unknown): void => {
    // Another process has it now, and does the work.
    if (cause instanceof LeaseLostError) return
    // Once and not at every try, which may be every second.
    if (!isFailing) log.error({ err: cause, what }, 'background work failed; it is tried again')
    isFailing = true
  }
  const go = (): void => {
    running = run()
      .then(() => {
        isFailing = false
      })
      .catch(fail)
      .then(() => {
        if (!isStopped) timer = setTimeout(go, everyMs)
      })
  }
  return {
    start: go,
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}
