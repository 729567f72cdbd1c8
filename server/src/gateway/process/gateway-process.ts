/**
 * The main thread of a gateway: compiles the configuration, keeps the workers, follows the files, watches upstreams,
 * answers health and metrics. It serves no traffic, so nothing it does delays any.
 */
import { randomBytes } from 'node:crypto'
import { createCounterMemory } from '../../kernel/counter-table.ts'
import type { Log } from '../../kernel/log.ts'
import { toIssueLine, type ConfigIssue } from '../../config/issues.ts'
import type { CompileOutcome } from '../../config/compile-thread.ts'
import { TICKET_KEY_BYTES } from '../tls.ts'
import { createFileWriter } from '../log-writer.ts'
import { HealthBoard } from '../upstream/health-board.ts'
import { createNameLookup } from '../upstream/name-lookup.ts'
import { UpstreamWatch } from '../upstream/upstream-watch.ts'
import { compileOffThread } from './compile-off-thread.ts'
import { ConfigWatch } from './config-watch.ts'
import { WorkerPool } from './worker-pool.ts'

export interface GatewayProcessOptions {
  readonly configPath: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workers: number
  readonly host: string
  readonly port: number
  readonly tlsPort: number
  readonly metricsHost: string
  readonly metricsPort: number
  readonly debug: boolean
  readonly log: Log
  readonly logLevel: string
  readonly cacheFolder: string
}

/** Thrown by `start` when the first configuration is refused; later ones are only logged. */
export class ConfigRefused extends Error {
  readonly issues: readonly ConfigIssue[]

  constructor(issues: readonly ConfigIssue[]) {
    super(issues.map(toIssueLine).join('\n'))
    this.issues = issues
  }
}

type Compiled = Extract<CompileOutcome, { kind: 'compiled' }>

const MAX_WORKER_HEAP_MB = 1_024

export class GatewayProcess {
  ready = false
  private readonly options: GatewayProcessOptions
  private readonly board = new HealthBoard()
  private readonly upstreams: UpstreamWatch
  private readonly files: ConfigWatch
  private pool: WorkerPool | undefined
  private running: Compiled | undefined
  private reloading: Promise<void> = Promise.resolve()

  constructor(options: GatewayProcessOptions) {
    this.options = options
    this.files = new ConfigWatch(() => void this.reload())
    this.upstreams = new UpstreamWatch({
      lookup: createNameLookup(),
      board: this.board,
      log: options.log,
      publish: (found) => this.pool?.tellEndpoints(found),
      random: Math.random,
    })
  }

  get ports(): { readonly port: number; readonly tlsPort: number | undefined } {
    return this.pool?.ports ?? { port: 0, tlsPort: undefined }
  }

  async start(): Promise<void> {
    const { options } = this
    const compiled = await this.compile()
    if (compiled.kind === 'refused') throw new ConfigRefused(compiled.issues)
    this.running = compiled
    this.pool = new WorkerPool(compiled.snapshotLines, {
      workers: options.workers,
      log: options.log,
      maxHeapMb: MAX_WORKER_HEAP_MB,
      logWriter: createFileWriter(),
      start: {
        host: options.host,
        port: options.port,
        tlsPort: compiled.listener.tls === undefined ? undefined : options.tlsPort,
        debug: options.debug,
        logLevel: options.logLevel,
        cacheFolder: options.cacheFolder,
        counters: createCounterMemory({ workers: options.workers }),
        verdicts: this.board.buffer,
        ticketKeys: randomBytes(TICKET_KEY_BYTES),
      },
      lost: () => undefined,
      received: () => undefined,
    })
    await this.upstreams.adopt(compiled.upstreams)
    await this.pool.start()
    this.files.follow(compiled.watched)
    this.ready = true
    options.log.info({ version: compiled.version, routes: compiled.routes, ...this.pool.ports }, 'the gateway is ready')
  }

  /** Reads the files again; one reload after the other. Resolves when this one is done, whatever came of it. */
  reload(): Promise<void> {
    this.reloading = this.reloading.then(() => this.reloadOnce())
    return this.reloading
  }

  /** Ends in order: not ready, a delay for load balancers to notice, then the workers drain. */
  async stop(): Promise<void> {
    const { listener } = this.running ?? {}
    this.ready = false
    this.files.close()
    await this.reloading
    await new Promise((resolve) => setTimeout(resolve, listener?.drainDelayMs ?? 0))
    const timeoutMs = listener?.drainTimeoutMs ?? 0
    await this.pool?.drain(Math.min(1_000, timeoutMs / 2), timeoutMs)
    this.upstreams.close()
  }

  private async reloadOnce(): Promise<void> {
    const { log } = this.options
    try {
      const compiled = await this.compile()
      this.files.follow(compiled.watched)
      if (compiled.kind === 'refused') {
        log.error({ issues: compiled.issues.map(toIssueLine) }, 'the configuration is refused, the old one goes on')
        return
      }
      if (compiled.version === this.running?.version) return
      await this.adopt(compiled)
      log.info({ version: compiled.version, routes: compiled.routes }, 'the configuration is live')
    } catch (cause) {
      log.error({ err: cause }, 'the configuration could not be taken, the old one goes on')
    }
  }

  /** Upstreams are looked up first, so that the first request after the swap finds them; the old ones stay till then. */
  private async adopt(compiled: Compiled): Promise<void> {
    const old = this.running?.upstreams ?? []
    const names = new Set(compiled.upstreams.map(({ name }) => name))
    await this.upstreams.adopt([...old.filter(({ name }) => !names.has(name)), ...compiled.upstreams])
    try {
      await this.pool?.adopt(compiled.snapshotLines)
      this.running = compiled
    } finally {
      await this.upstreams.adopt(this.running?.upstreams ?? [])
    }
  }

  private compile(): Promise<CompileOutcome> {
    const { configPath: path, environment, cacheFolder } = this.options
    return compileOffThread({ path, environment, cacheFolder })
  }
}
