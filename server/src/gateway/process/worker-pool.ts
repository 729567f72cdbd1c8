/**
 * The worker threads of a gateway: started one by one, given every snapshot in two steps so that all run the same one,
 * replaced when they die or fall silent.
 */
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Log } from '../../kernel/log.ts'
import { toThreadUrl } from '../../kernel/thread-url.ts'
import { serveLogPort, type LogWriter } from '../log-writer.ts'
import type { UpstreamEndpoints } from '../upstream/endpoint.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'

const BEAT_CHECK_MS = 1_000
const SILENCE_MS = 5_000
/** A worker that dies again and again is started again more and more slowly. */
const MAX_RESTART_DELAY_MS = 10_000

/** An exchange's garbage dies young: more room here is only more memory, less makes it be copied. */
const YOUNG_HEAP_MB = 22

export interface WorkerPoolOptions {
  readonly workers: number
  readonly log: Log
  /** What every worker is started with, apart from its index and what changes while the gateway runs. */
  readonly start: Omit<WorkerStart, 'index' | 'snapshotLines' | 'endpoints' | 'heartbeats' | 'logPort' | 'metrics'>
  /** What each worker counts; one for each. */
  readonly metrics: readonly SharedArrayBuffer[]
  /** Where the access logs of all workers go. */
  readonly logWriter: LogWriter
  /** Megabytes of long-lived memory after which a worker is ended and replaced, before it takes the others with it. */
  readonly maxHeapMb: number
  /** Called when a worker is gone, before the next one takes its place. */
  lost(index: number): void
  received(message: FromWorker, index: number): void
}

interface Member {
  readonly index: number
  worker: Worker | undefined
  /** What it was told to run last. */
  snapshotLines: readonly string[]
  listening: boolean
  beat: number
  beatAtMs: number
  restarts: number
  startedAtMs: number
}

export class WorkerPool {
  /** How often a worker was replaced. */
  restarts = 0
  private readonly options: WorkerPoolOptions
  private readonly heartbeats: SharedArrayBuffer
  private readonly members: Member[] = []
  private readonly endpoints = new Map<string, UpstreamEndpoints>()
  private snapshotLines: readonly string[]
  private port: number
  private tlsPort: number | undefined
  private timer: NodeJS.Timeout | undefined
  private stopping = false

  constructor(snapshotLines: readonly string[], options: WorkerPoolOptions) {
    this.options = options
    this.snapshotLines = snapshotLines
    this.port = options.start.port
    this.tlsPort = options.start.tlsPort
    this.heartbeats = new SharedArrayBuffer(4 * options.workers)
  }

  get ports(): { readonly port: number; readonly tlsPort: number | undefined } {
    return { port: this.port, tlsPort: this.tlsPort }
  }

  get serving(): number {
    return this.members.filter(({ listening }) => listening).length
  }

  /** Starts all workers; rejects when the first cannot listen. The first one settles the port for all. */
  async start(): Promise<void> {
    for (let index = 0; index < this.options.workers; index++) {
      const member = createMember(index)
      this.members.push(member)
      await this.launch(member)
    }
    this.timer = setInterval(() => this.checkBeats(), BEAT_CHECK_MS)
  }

  tellEndpoints(found: UpstreamEndpoints): void {
    this.endpoints.set(found.upstream, found)
    this.tell({ kind: 'endpoints', found })
  }

  /** Gives all workers a snapshot; throws, and leaves all of them with the old one, when one cannot take it. */
  async adopt(snapshotLines: readonly string[], version: string): Promise<void> {
    const serving = this.members.filter(({ listening }) => listening)
    const ready = serving.flatMap(({ worker }) => (worker === undefined ? [] : [worker]))
    const outcomes = ready.map((worker) => outcomeOf(worker, version))
    for (const worker of ready) post(worker, { kind: 'prepare', snapshotLines })
    const refusals = (await Promise.all(outcomes)).filter((outcome) => outcome !== undefined)
    const [refusal] = refusals
    if (refusal !== undefined) {
      for (const worker of ready) post(worker, { kind: 'discard' })
      throw new Error(refusal)
    }
    this.snapshotLines = snapshotLines
    for (const member of serving) member.snapshotLines = snapshotLines
    for (const worker of ready) post(worker, { kind: 'commit' })
    for (const member of this.members) this.catchUp(member)
  }

  /** A worker that was starting while the others took a snapshot takes it as soon as it listens. */
  private catchUp(member: Member): void {
    const { worker, listening } = member
    const { snapshotLines } = this
    if (worker === undefined || !listening || member.snapshotLines === snapshotLines) return
    member.snapshotLines = snapshotLines
    post(worker, { kind: 'prepare', snapshotLines })
    post(worker, { kind: 'commit' })
  }

  /** Lets every worker finish what it has; resolves when all are gone. */
  async drain(graceMs: number, timeoutMs: number): Promise<void> {
    this.stopping = true
    clearInterval(this.timer)
    await Promise.all(
      this.members.map(async ({ worker }) => {
        if (worker === undefined) return
        const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
        post(worker, { kind: 'drain', graceMs, timeoutMs })
        const late = setTimeout(() => void worker.terminate(), graceMs + timeoutMs + 2_000)
        await gone
        clearTimeout(late)
      }),
    )
  }

  /** Ends all workers at once, whatever they are doing. */
  async terminate(): Promise<void> {
    this.stopping = true
    clearInterval(this.timer)
    await Promise.all(this.members.map(async ({ worker }) => worker?.terminate()))
  }

  private tell(message: ToWorker): void {
    for (const { worker } of this.members) if (worker !== undefined) post(worker, message)
  }

  private createWorker(member: Member): Worker {
    const { options } = this
    const metrics = options.metrics[member.index]
    if (metrics === undefined) throw new Error(`there is no memory for the metrics of worker ${member.index}`)
    const logChannel = new MessageChannel()
    serveLogPort(logChannel.port1, options.logWriter)
    const start: WorkerStart = {
      ...options.start,
      port: this.port,
      tlsPort: this.tlsPort,
      index: member.index,
      metrics,
      snapshotLines: member.snapshotLines,
      endpoints: [...this.endpoints.values()],
      heartbeats: this.heartbeats,
      logPort: logChannel.port2,
    }
    return new Worker(toThreadUrl('./worker', import.meta.url), {
      workerData: start,
      transferList: [logChannel.port2],
      name: `gateway-${member.index}`,
      resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb, maxYoungGenerationSizeMb: YOUNG_HEAP_MB },
      stdout: false,
      stderr: false,
    })
  }

  /** Resolves when it listens; rejects when it ends before. */
  private launch(member: Member): Promise<void> {
    const { options } = this
    member.snapshotLines = this.snapshotLines
    const worker = this.createWorker(member)
    member.worker = worker
    member.startedAtMs = performance.now()
    member.beatAtMs = performance.now()
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'listening') {
          this.port = message.port
          this.tlsPort = message.tlsPort
          member.listening = true
          this.catchUp(member)
          resolve()
        }
        options.received(message, member.index)
      })
      worker.on('error', (cause) => {
        options.log.error({ err: cause, worker: member.index }, 'a gateway worker failed')
        reject(cause)
      })
      worker.once('exit', () => {
        reject(new Error('the worker ended before it listened'))
        this.gone(member, worker)
      })
    })
  }

  private gone(member: Member, worker: Worker): void {
    if (member.worker !== worker) return
    const { options } = this
    member.worker = undefined
    const served = member.listening
    member.listening = false
    options.lost(member.index)
    // One that never listened at the start is the start's failure, which `start` reports.
    if (this.stopping || (!served && member.restarts === 0)) return
    const lived = performance.now() - member.startedAtMs
    member.restarts = lived > 60_000 ? 1 : member.restarts + 1
    const delayMs = member.restarts === 1 ? 0 : Math.min(MAX_RESTART_DELAY_MS, 100 * 2 ** member.restarts)
    this.restarts++
    options.log.error({ worker: member.index, restarts: member.restarts }, 'a gateway worker is gone and is replaced')
    setTimeout(() => {
      if (!this.stopping) this.launch(member).catch(() => undefined)
    }, delayMs)
  }

  private checkBeats(): void {
    const beats = new Int32Array(this.heartbeats)
    const nowMs = performance.now()
    for (const member of this.members) {
      const beat = Atomics.load(beats, member.index)
      if (beat !== member.beat || !member.listening) {
        member.beat = beat
        member.beatAtMs = nowMs
      } else if (nowMs - member.beatAtMs > SILENCE_MS) {
        this.options.log.error(
          { worker: member.index, silentMs: SILENCE_MS },
          'a gateway worker does not answer and is ended',
        )
        member.beatAtMs = nowMs
        void member.worker?.terminate()
      }
    }
  }
}

function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(message)
}

function createMember(index: number): Member {
  return {
    index,
    worker: undefined,
    snapshotLines: [],
    listening: false,
    beat: 0,
    beatAtMs: 0,
    restarts: 0,
    startedAtMs: 0,
  }
}

/** Resolves with the reason when the worker refuses what it prepares, or dies of it: the next one would as well. */
function outcomeOf(worker: Worker, version: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const done = (reason: string | undefined): void => {
      worker.off('message', onMessage)
      worker.off('exit', onExit)
      resolve(reason)
    }
    const onMessage = (message: FromWorker): void => {
      if (message.kind === 'prepared' && message.version === version) done(undefined)
      else if (message.kind === 'refused') done(message.reason)
    }
    const onExit = (): void => done('a worker ended while it prepared the configuration')
    worker.on('message', onMessage)
    worker.on('exit', onExit)
  })
}
