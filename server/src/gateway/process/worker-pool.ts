/**
 * The worker threads of a gateway: started one by one, given every snapshot in two steps so that all run the same one,
 * replaced when they die or fall silent.
 */
import { Worker } from 'node:worker_threads'
import type { Log } from '../../kernel/log.ts'
import { deliverWhole, type SnapshotLines } from '../../kernel/snapshot-delivery.ts'
import { toThreadUrl } from '../../kernel/thread-url.ts'
import type { LogOutput } from '../log-writer.ts'
import { createSlicer } from '../slice.ts'
import type { UpstreamEndpoints } from '../upstream/endpoint.ts'
import { YOUNG_HEAP_MB } from './engine.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'
import { createMember, Gift, post, prepareOn, type Member, type Prepared } from './pool-member.ts'

const BEAT_CHECK_MS = 1_000
/** Counted, not timed: when the whole machine or process was paused, it is no worker's fault, and none is ended for it. */
const MAX_SILENT_CHECKS = 5
/** Far more than compiling the largest snapshot takes. */
const START_LIMIT_MS = 60_000
/** What a worker has to say after its last connection; then it is ended. */
const LAST_WORDS_MS = 6_000
/** A worker that dies again and again is started again more and more slowly. */
const MAX_RESTART_DELAY_MS = 10_000

export interface WorkerPoolOptions {
  readonly workers: number
  readonly log: Log
  /** What every worker is started with, apart from its index and what changes while the gateway runs. */
  readonly start: Omit<WorkerStart, 'index' | 'endpoints' | 'heartbeats' | 'logOutput' | 'metrics'>
  /** What each worker counts; one for each. */
  readonly metrics: readonly SharedArrayBuffer[]
  /** Makes what a worker writes its access log to. */
  openLogOutput(): LogOutput
  /** Megabytes of long-lived memory after which a worker is ended and replaced, before it takes the others with it. */
  readonly maxHeapMb: number
  /** Where compiled modules are kept between starts; without it they are not. */
  readonly cacheFolder?: string
  /** How long a worker may take to begin to serve. */
  readonly startLimitMs?: number
  /** What a worker runs. */
  readonly entry?: URL
  /** Called when a worker is gone, before the next one takes its place. */
  lost(index: number): void
  received(message: FromWorker, index: number): void
}

export class WorkerPool {
  /** How often a worker was replaced. */
  restarts = 0
  private readonly options: WorkerPoolOptions
  private readonly heartbeats: SharedArrayBuffer
  private readonly members: Member[] = []
  private readonly endpoints = new Map<string, UpstreamEndpoints>()
  private running: SnapshotLines
  private port: number
  private tlsPort: number | undefined
  private timer: NodeJS.Timeout | undefined
  private stopping = false

  constructor(lines: SnapshotLines, options: WorkerPoolOptions) {
    this.options = options
    this.running = lines
    this.port = options.start.port
    this.tlsPort = options.start.tlsPort
    this.heartbeats = new SharedArrayBuffer(4 * options.workers)
  }

  get ports(): { readonly port: number; readonly tlsPort: number | undefined } {
    return { port: this.port, tlsPort: this.tlsPort }
  }

  /** What each worker that serves says it runs. */
  versions(): { readonly worker: number; readonly version: string }[] {
    const serving = this.members.filter(({ listening }) => listening)
    return serving.map(({ index, version }) => ({ worker: index, version }))
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

  /**
   * Gives all workers a snapshot; throws, and leaves all of them with the old one, when one cannot take it. `tlsPort` is
   * the port that a snapshot with certificates needs, opened now if it is not open yet.
   */
  async adopt(lines: SnapshotLines, tlsPort: number | undefined): Promise<void> {
    await Promise.all(this.members.map(({ catchingUp }) => catchingUp))
    const serving = this.members.filter(({ listening }) => listening)
    const asked = serving.flatMap((member) => (member.worker === undefined ? [] : [{ member, worker: member.worker }]))
    const ready = asked.map(({ worker }) => worker)
    const outcomes = await prepareOnAll(ready, new Gift(lines, this.running), this.tlsPort ?? tlsPort)
    for (const outcome of outcomes) {
      if (!('refusal' in outcome)) continue
      for (const worker of ready) post(worker, { kind: 'discard' })
      throw new Error(outcome.refusal)
    }
    for (const outcome of outcomes) if ('tlsPort' in outcome) this.tlsPort = outcome.tlsPort
    // With no worker to open it, the next one does.
    this.tlsPort ??= tlsPort
    this.running = lines
    // One that died meanwhile has a successor, which was started with the old lines and is given these below.
    for (const { member, worker } of asked) if (member.worker === worker) member.given = lines
    for (const worker of ready) post(worker, { kind: 'commit' })
    for (const member of this.members) this.catchUp(member)
  }

  /** A worker that was starting while the others took a snapshot takes it as soon as it listens. */
  private catchUp(member: Member): void {
    const { worker, listening } = member
    const { running } = this
    if (worker === undefined || !listening || member.given === running) return
    const gift = new Gift(running, member.given)
    member.given = running
    member.catchingUp = prepareOn(worker, gift, this.tlsPort).then((outcome) => {
      if (!('refusal' in outcome)) return post(worker, { kind: 'commit' })
      // It would go on with the old one, unlike all others. The next one starts with the new one.
      const facts = { worker: member.index, reason: outcome.refusal }
      this.options.log.error(facts, 'a gateway worker cannot take the running configuration and is replaced')
      return void worker.terminate()
    })
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
        const late = setTimeout(() => void worker.terminate(), graceMs + timeoutMs + LAST_WORDS_MS)
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
    const logOutput = options.openLogOutput()
    const start: WorkerStart = {
      ...options.start,
      port: this.port,
      tlsPort: this.tlsPort,
      index: member.index,
      metrics,
      endpoints: [...this.endpoints.values()],
      heartbeats: this.heartbeats,
      logOutput,
    }
    return new Worker(options.entry ?? toThreadUrl('./serve', import.meta.url), {
      workerData: start,
      env: toWorkerEnvironment(options.cacheFolder),
      transferList: typeof logOutput === 'number' ? [] : [logOutput],
      name: `gateway-${member.index}`,
      resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb, maxYoungGenerationSizeMb: YOUNG_HEAP_MB },
      stdout: false,
      stderr: false,
    })
  }

  /** Resolves when it listens; rejects when it ends before. */
  private launch(member: Member): Promise<void> {
    const { options } = this
    member.given = this.running
    const worker = this.createWorker(member)
    member.worker = worker
    deliverWhole(this.running, createSlicer()).then(
      (delivery) => post(worker, { kind: 'begin', delivery }),
      (cause: unknown) => {
        options.log.error({ err: cause, worker: member.index }, 'a gateway worker cannot be given its configuration')
        void worker.terminate()
      },
    )
    member.startedAtMs = performance.now()
    member.silentChecks = 0
    const { startLimitMs = START_LIMIT_MS } = options
    const late = setTimeout(() => {
      options.log.error({ worker: member.index, startLimitMs }, 'a gateway worker did not begin to serve and is ended')
      void worker.terminate()
    }, startLimitMs)
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'listening') {
          clearTimeout(late)
          this.began(member, message)
          resolve()
        } else if (message.kind === 'running') member.version = message.version
        options.received(message, member.index)
      })
      worker.on('error', (cause) => {
        options.log.error({ err: cause, worker: member.index }, 'a gateway worker failed')
        reject(cause)
      })
      worker.once('exit', () => {
        clearTimeout(late)
        reject(new Error('the worker ended before it listened'))
        this.gone(member, worker)
      })
    })
  }

  private began(member: Member, { port, tlsPort, version }: Extract<FromWorker, { kind: 'listening' }>): void {
    this.port = port
    if (tlsPort !== undefined) this.tlsPort = tlsPort
    member.version = version
    member.listening = true
    this.catchUp(member)
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
    for (const member of this.members) {
      const beat = Atomics.load(beats, member.index)
      const isSilent = beat === member.beat && member.listening
      member.beat = beat
      member.silentChecks = isSilent ? member.silentChecks + 1 : 0
      if (member.silentChecks <= MAX_SILENT_CHECKS) continue
      this.options.log.error(
        { worker: member.index, silentMs: MAX_SILENT_CHECKS * BEAT_CHECK_MS },
        'a gateway worker does not answer and is ended',
      )
      member.silentChecks = 0
      void member.worker?.terminate()
    }
  }
}

/** One after the other until the port is settled for all, when the kernel chooses it; else all at once. */
async function prepareOnAll(workers: readonly Worker[], gift: Gift, tlsPort: number | undefined): Promise<Prepared[]> {
  const [first, ...others] = workers
  if (tlsPort !== 0 || first === undefined)
    return Promise.all(workers.map((worker) => prepareOn(worker, gift, tlsPort)))
  const settled = await prepareOn(first, gift, tlsPort)
  if ('refusal' in settled) return [settled]
  return [settled, ...(await prepareOnAll(others, gift, settled.tlsPort))]
}

/**
 * All of the environment that a worker sees: no secret that stands in it is within reach of those who reach a worker. Node
 * keeps and finds compiled modules there from the entry on; in a checkout a worker then loads nothing to strip types
 * with, which takes 15 MB.
 */
function toWorkerEnvironment(cacheFolder: string | undefined): NodeJS.ProcessEnv {
  return cacheFolder === undefined ? {} : { NODE_COMPILE_CACHE: cacheFolder }
}
