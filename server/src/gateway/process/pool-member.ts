/** One place in the pool of workers, the thread that has it for now, and how that thread is given a snapshot. */
import type { Worker } from 'node:worker_threads'
import type { FromWorker, ToWorker } from './messages.ts'

export interface Member {
  readonly index: number
  worker: Worker | undefined
  /** What it was told to run last, and the version that it says it runs. */
  snapshotLines: readonly string[]
  version: string
  listening: boolean
  /** Settled when it has taken what it missed while it started. */
  catchingUp: Promise<void>
  beat: number
  beatAtMs: number
  restarts: number
  startedAtMs: number
}

export function createMember(index: number): Member {
  return {
    index,
    worker: undefined,
    snapshotLines: [],
    version: '',
    listening: false,
    catchingUp: Promise.resolve(),
    beat: 0,
    beatAtMs: 0,
    restarts: 0,
    startedAtMs: 0,
  }
}

export function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message)
}

/** What came of a `prepare`: the port with TLS that the worker has open, or why it cannot take the snapshot. */
export type Prepared = { readonly tlsPort: number | undefined } | { readonly refusal: string }

let orders = 0

/** Lets a worker prepare a snapshot. One that dies of it has refused it: the next one would die as well. */
export function prepareOn(
  worker: Worker,
  snapshotLines: readonly string[],
  tlsPort: number | undefined,
): Promise<Prepared> {
  const order = ++orders
  return new Promise((resolve) => {
    const done = (outcome: Prepared): void => {
      worker.off('message', onMessage)
      worker.off('exit', onExit)
      resolve(outcome)
    }
    const onMessage = (message: FromWorker): void => {
      if (message.kind === 'prepared' && message.order === order) done({ tlsPort: message.tlsPort })
      else if (message.kind === 'refused' && message.order === order) done({ refusal: message.reason })
    }
    const onExit = (): void => done({ refusal: 'a worker ended while it prepared the configuration' })
    worker.on('message', onMessage)
    worker.on('exit', onExit)
    post(worker, { kind: 'prepare', order, snapshotLines, tlsPort })
  })
}
