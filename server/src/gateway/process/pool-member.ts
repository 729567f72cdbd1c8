/** One place in the pool of workers, the thread that has it for now, and how that thread is given a snapshot. */
import type { Worker } from 'node:worker_threads'
import {
  deliverChange,
  deliverWhole,
  type SnapshotDelivery,
  type SnapshotLines,
} from '../../kernel/snapshot-delivery.ts'
import { createSlicer } from '../slice.ts'
import type { FromWorker, ToWorker } from './messages.ts'

export interface Member {
  readonly index: number
  worker: Worker | undefined
  /** What it was told to run last, and the version that it says it runs. */
  given: SnapshotLines | undefined
  version: string
  listening: boolean
  /** Settled when it has taken what it missed while it started. */
  catchingUp: Promise<void>
  beat: number
  /** Checks in a row that saw no new beat. */
  silentChecks: number
  restarts: number
  startedAtMs: number
}

export function createMember(index: number): Member {
  return {
    index,
    worker: undefined,
    given: undefined,
    version: '',
    listening: false,
    catchingUp: Promise.resolve(),
    beat: 0,
    silentChecks: 0,
    restarts: 0,
    startedAtMs: 0,
  }
}

export function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message)
}

/** What came of a `prepare`: the port with TLS that the worker has open, or why it cannot take the snapshot. */
export type Prepared = { readonly tlsPort: number | undefined } | { readonly refusal: string }

/**
 * A snapshot to be given to workers: all have the same one, or none, so that what is packed is packed once. In slices,
 * because the main thread may share its core with one that serves.
 */
export class Gift {
  readonly lines: SnapshotLines
  private readonly before: SnapshotLines | undefined
  private packedWhole: Promise<SnapshotDelivery> | undefined
  private packedChange: Promise<SnapshotDelivery> | undefined

  constructor(lines: SnapshotLines, before: SnapshotLines | undefined) {
    this.lines = lines
    this.before = before
  }

  get whole(): Promise<SnapshotDelivery> {
    return (this.packedWhole ??= deliverWhole(this.lines, createSlicer()))
  }

  /** What leads from what the workers have; everything for those that have nothing. */
  get change(): Promise<SnapshotDelivery> {
    if (this.before === undefined) return this.whole
    return (this.packedChange ??= deliverChange(this.before, this.lines, createSlicer()))
  }
}

let orders = 0

/**
 * Lets a worker prepare a snapshot. One that cannot take the change gets everything: it may have something else than was
 * thought. One that dies of it has refused it: the next one would die as well. One that is gone already, while the worker
 * before it had its turn, says nothing any more: it has refused too, and its successor is asked when this is tried again.
 */
export function prepareOn(worker: Worker, gift: Gift, tlsPort: number | undefined): Promise<Prepared> {
  return new Promise((resolve, reject) => {
    let isWhole = false
    let order = ++orders
    const give = (packed: Promise<SnapshotDelivery>): void => {
      packed.then((delivery) => {
        isWhole = delivery.isWhole
        post(worker, { kind: 'prepare', order, delivery, tlsPort })
      }, reject)
    }
    const done = (outcome: Prepared): void => {
      worker.off('message', onMessage)
      worker.off('exit', onExit)
      resolve(outcome)
    }
    const onMessage = (message: FromWorker): void => {
      if (message.kind === 'prepared' && message.order === order) done({ tlsPort: message.tlsPort })
      if (message.kind !== 'refused' || message.order !== order) return
      if (isWhole) return done({ refusal: message.reason })
      order = ++orders
      give(gift.whole)
    }
    const onExit = (): void => done({ refusal: 'a worker ended while it prepared the configuration' })
    if (isGone(worker)) return onExit()
    worker.on('message', onMessage)
    worker.on('exit', onExit)
    give(gift.change)
  })
}

/** A thread that has ended has no number of its own any more, and every event of it was before. */
function isGone({ threadId }: Worker): boolean {
  return threadId === -1
}
