/**
 * The main thread of a gateway: compiles the configuration, keeps the workers, follows the files, watches upstreams,
 * answers health and metrics. It serves no traffic, so nothing it does delays any.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { systemClock } from '../../kernel/clock.ts'
import { createCounterMemory, readCounterUse, releaseWorker, type CounterMemory } from '../../kernel/counter-table.ts'
import type { EventWriter, Log } from '../../kernel/log.ts'
import { toIssueLine, type ConfigIssue } from '../../config/issues.ts'
import { createMetricsMemory } from '../metrics-memory.ts'
import { createMetricsServer, type MetricsServer } from '../metrics-server.ts'
import { clearWorkerState } from '../metrics-worker.ts'
import type { Metrics, ReloadResult } from '../metrics.ts'
import { TICKET_KEY_BYTES } from '../tls.ts'
import { shareOutput } from '../log-writer.ts'
import { HealthBoard } from '../upstream/health-board.ts'
import { createNameLookup } from '../upstream/name-lookup.ts'
import { UpstreamWatch } from '../upstream/upstream-watch.ts'
import { CallerReport } from './caller-report.ts'
import type { Compiled, ConfigSource, ProcessState } from './config-source.ts'
import { DeploymentReport } from './deployment-report.ts'
import { collectGarbage, setUpEngine } from './engine.ts'
import { expectFreePort } from './expect-free-port.ts'
import type { FromWorker } from './messages.ts'
import { QuotaKeeper } from './quota-keeper.ts'
import { QuotaReport } from './quota-report.ts'
import type { ReportPart } from './report-part.ts'
import { WorkerPool } from './worker-pool.ts'

export interface GatewayProcessOptions {
  /** Version of Headgate. */
  readonly version: string
  /** Where its configuration comes from; closed with the process. */
  readonly source: ConfigSource
  readonly workers: number
  readonly host: string
  readonly port: number
  readonly tlsPort: number
  readonly metricsHost: string
  readonly metricsPort: number
  readonly debug: boolean
  readonly log: Log
  /** Where the events of all threads are written. */
  readonly events: EventWriter
  readonly logLevel: string
  /** Where to keep what can be made again, and what outlives a restart. */
  readonly cacheFolder: string
  readonly dataFolder: string
}

/** Thrown by `start` when the first configuration is refused; later ones are only logged. */
export class ConfigRefused extends Error {
  readonly issues: readonly ConfigIssue[]

  constructor(issues: readonly ConfigIssue[]) {
    super(issues.map(toIssueLine).join('\n'))
    this.issues = issues
  }
}

const MAX_WORKER_HEAP_MB = 1_024
/** By then a worker that died of something else has a successor. */
const RETRY_MS = 2_000

export class GatewayProcess {
  ready = false
  private stopping = false
  private readonly options: GatewayProcessOptions
  private readonly board = new HealthBoard()
  private readonly upstreams: UpstreamWatch
  private readonly counters: CounterMemory
  private readonly quotas: QuotaKeeper
  private readonly memories: readonly SharedArrayBuffer[]
  private readonly reloads = new Map<ReloadResult, number>()
  private metrics: Metrics | undefined
  private metricsServer: MetricsServer | undefined
  private pool: WorkerPool | undefined
  private adoptedAtMs = 0
  private running: Compiled | undefined
  /** Why the latest configuration does not run; empty when it does. */
  private refused = ''
  private reloading: Promise<void> = Promise.resolve()
  private retry: NodeJS.Timeout | undefined
  private readonly deployments = new DeploymentReport(systemClock)
  private readonly callers = new CallerReport(systemClock)
  private readonly reportParts: readonly ReportPart[]

  constructor(options: GatewayProcessOptions) {
    setUpEngine()
    this.options = options
    this.counters = createCounterMemory({ workers: options.workers })
    this.quotas = new QuotaKeeper({
      memory: this.counters.quotas,
      clock: systemClock,
      path: join(options.dataFolder, 'quotas.jsonl'),
      log: options.log,
    })
    this.reportParts = [this.deployments, this.callers, new QuotaReport(this.quotas.ledger)]
    this.memories = Array.from({ length: options.workers }, () => createMetricsMemory())
    this.upstreams = new UpstreamWatch({
      lookup: createNameLookup(),
      board: this.board,
      log: options.log,
      publish: (found) => this.pool?.tellEndpoints(found),
      random: Math.random,
    })
  }

  get ports(): { readonly port: number; readonly tlsPort: number | undefined; readonly metricsPort: number } {
    return { ...(this.pool?.ports ?? { port: 0, tlsPort: undefined }), metricsPort: this.metricsServer?.port ?? 0 }
  }

  /**
   * Serves when it resolves; rejects, and leaves nothing open, when the configuration or a port cannot be had. A reload
   * that is asked for meanwhile comes after.
   */
  start(): Promise<void> {
    const started = this.begin()
    this.reloading = started.catch(() => undefined)
    return started
  }

  private async begin(): Promise<void> {
    const compiled = await this.options.source.read()
    if (compiled.kind === 'refused') throw new ConfigRefused(compiled.issues)
    this.setRunning(compiled)
    try {
      await this.expectFreePorts(compiled)
      await this.quotas.start()
      this.metricsServer = await this.listenForMetrics()
      this.pool = this.createPool(compiled)
      await this.upstreams.adopt(compiled.upstreams)
      await this.pool.start()
    } catch (cause) {
      await this.options.source.close()
      this.upstreams.close()
      await this.pool?.terminate()
      await this.metricsServer?.close()
      await this.quotas.stop()
      throw cause
    }
    if (this.stopping) return
    this.options.source.follow(
      () => void this.reload(),
      () => this.state(),
      this.reportParts,
    )
    this.ready = true
    const { version, routes } = compiled
    this.options.log.info({ version, routes, ...this.ports }, 'the gateway is ready')
    // Whoever waits for the start comes first.
    setImmediate(collectGarbage)
  }

  private async expectFreePorts({ listener }: Compiled): Promise<void> {
    const { host, port, tlsPort } = this.options
    await expectFreePort(host, port)
    if (listener.tls !== undefined) await expectFreePort(host, tlsPort)
  }

  private createPool(compiled: Compiled): WorkerPool {
    const { options } = this
    return new WorkerPool(compiled, {
      workers: options.workers,
      log: options.log,
      maxHeapMb: MAX_WORKER_HEAP_MB,
      cacheFolder: options.cacheFolder,
      metrics: this.memories,
      openLogOutput: shareOutput(process.stdout),
      start: {
        host: options.host,
        port: options.port,
        tlsPort: compiled.listener.tls === undefined ? undefined : options.tlsPort,
        debug: options.debug,
        logLevel: options.logLevel,
        counters: this.counters,
        verdicts: this.board.buffer,
        ticketKeys: randomBytes(TICKET_KEY_BYTES),
      },
      lost: (index) => this.workerLost(index),
      received: (message) => this.heard(message),
    })
  }

  /** Reads the files again; one reload after the other. Resolves when this one is done, whatever came of it. */
  reload(): Promise<void> {
    return this.queueReload(true)
  }

  private queueReload(isFirstTry: boolean): Promise<void> {
    this.reloading = this.reloading.then(() => this.reloadOnce(isFirstTry))
    return this.reloading
  }

  /**
   * Ends in order: not ready, a delay for load balancers to notice, then the workers drain. A start that is under way comes
   * to its end first; one that waits for its first configuration rejects.
   */
  async stop(): Promise<void> {
    this.stopping = true
    this.ready = false
    clearTimeout(this.retry)
    await this.options.source.close()
    await this.reloading
    const { listener } = this.running ?? {}
    await new Promise((resolve) => setTimeout(resolve, listener?.drainDelayMs ?? 0))
    const timeoutMs = listener?.drainTimeoutMs ?? 0
    await this.pool?.drain(Math.min(1_000, timeoutMs / 2), timeoutMs)
    this.upstreams.close()
    await this.metricsServer?.close()
    await this.quotas.stop()
  }

  /** Why no traffic should come; undefined when it may. */
  private unready(): string | undefined {
    if (!this.ready) return 'the gateway is starting or draining'
    return this.pool !== undefined && this.pool.serving > 0 ? undefined : 'no worker serves'
  }

  private setRunning(compiled: Compiled): void {
    this.running = compiled
    this.adoptedAtMs = Date.now()
  }

  private countReload(result: ReloadResult): void {
    this.reloads.set(result, (this.reloads.get(result) ?? 0) + 1)
  }

  private listenForMetrics(): Promise<MetricsServer> {
    const { log, metricsHost, metricsPort } = this.options
    return createMetricsServer({
      host: metricsHost,
      port: metricsPort,
      metrics: async () => {
        this.metrics ??= await this.createMetrics()
        return { text: await this.metrics.render(), contentType: this.metrics.contentType }
      },
      unhealthy: () => undefined,
      unready: () => this.unready(),
      failed: (cause) => log.error({ err: cause }, 'the metrics could not be put together'),
    })
  }

  /** With the first scrape: a gateway that nobody scrapes does not carry the library. */
  private async createMetrics(): Promise<Metrics> {
    const { Metrics: Adder } = await import('../metrics.ts')
    return new Adder({
      version: this.options.version,
      memories: this.memories,
      workersServing: () => this.pool?.serving ?? 0,
      workerRestarts: () => this.pool?.restarts ?? 0,
      workerVersions: () => this.pool?.versions() ?? [],
      droppedEvents: () => this.options.events.dropped,
      isReady: () => this.unready() === undefined,
      counterUse: () => readCounterUse(this.counters, systemClock),
      reloads: () => this.reloads,
      snapshot: () =>
        this.running === undefined ? undefined : { version: this.running.version, adoptedAtMs: this.adoptedAtMs },
    })
  }

  private heard(message: FromWorker): void {
    if (message.kind === 'counting') this.quotas.ledger.register(message.name)
    else if (message.kind === 'deployments') this.deployments.add(message.counts)
    else if (message.kind === 'callers') this.callers.add(message.counts)
    else if (message.kind === 'event') this.options.events.write(message.line)
  }

  /** What the worker had in flight has ended with it. */
  private workerLost(index: number): void {
    releaseWorker(this.counters, index)
    const memory = this.memories[index]
    if (memory !== undefined) clearWorkerState(memory)
  }

  /** What could not be taken is tried once more, since nobody may ever ask again; twice, it is what ends workers. */
  private async reloadOnce(isFirstTry: boolean): Promise<void> {
    const { log } = this.options
    clearTimeout(this.retry)
    try {
      const compiled = await this.options.source.read()
      if (compiled.kind === 'refused') {
        this.countReload('refused')
        this.refused = compiled.issues.map(toIssueLine).join('\n')
        log.error({ issues: compiled.issues.map(toIssueLine) }, 'the configuration is refused, the old one goes on')
        return
      }
      if (compiled.version === this.running?.version) {
        this.countReload('unchanged')
        return
      }
      const wasOpen = this.ports.tlsPort
      await this.adopt(compiled)
      const { tlsPort } = this.ports
      if (tlsPort !== wasOpen) log.info({ tlsPort }, 'the port for TLS is open')
      this.countReload('adopted')
      this.refused = ''
      log.info({ version: compiled.version, routes: compiled.routes }, 'the configuration is live')
    } catch (cause) {
      this.countReload('failed')
      this.refused = cause instanceof Error ? cause.message : String(cause)
      log.error({ err: cause }, 'the configuration could not be taken, the old one goes on')
      if (isFirstTry && !this.stopping) this.retry = setTimeout(() => void this.queueReload(false), RETRY_MS)
    }
  }

  /** Upstreams are looked up first, so that the first request after the swap finds them; the old ones stay till then. */
  private async adopt(compiled: Compiled): Promise<void> {
    const old = this.running?.upstreams ?? []
    const names = new Set(compiled.upstreams.map(({ name }) => name))
    await this.upstreams.adopt([...old.filter(({ name }) => !names.has(name)), ...compiled.upstreams])
    try {
      const tlsPort = compiled.listener.tls === undefined ? undefined : this.options.tlsPort
      await this.pool?.adopt(compiled, tlsPort)
      this.setRunning(compiled)
    } finally {
      await this.upstreams.adopt(this.running?.upstreams ?? [])
    }
  }

  private state(): ProcessState {
    const { running, refused, pool } = this
    return {
      version: running?.version ?? '',
      refused,
      workers: pool?.serving ?? 0,
      ready: this.unready() === undefined,
    }
  }
}
