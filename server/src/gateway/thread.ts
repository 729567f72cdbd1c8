/**
 * Everything that one thread of the gateway serves with: its runtime, its targets and connections, its listeners. A
 * worker thread has one; a test has one in its own process.
 */
import { performance } from 'node:perf_hooks'
import type { CallerCount } from '../kernel/caller-counts.ts'
import { systemClock } from '../kernel/clock.ts'
import type { DeploymentCounts } from '../kernel/control-protocol.ts'
import type { Counters } from '../kernel/counters.ts'
import type { Exchange } from '../kernel/exchange.ts'
import { createIdGenerator } from '../kernel/ids.ts'
import type { PolicyDefinition } from '../kernel/policy.ts'
import type { PolicyLog } from '../kernel/policy-services.ts'
import type { Quotas } from '../kernel/quotas.ts'
import type { ExchangeRecord } from '../kernel/record.ts'
import type { RouteSpec } from '../kernel/snapshot.ts'
import type { SnapshotDelivery } from '../kernel/snapshot-delivery.ts'
import { CallerTally } from './caller-tally.ts'
import { RuntimeCompiler } from './compile-runtime.ts'
import { DeploymentTallies } from './deployment-tally.ts'
import { createFaultLog } from './fault-log.ts'
import { fetchDocument } from './fetch-document.ts'
import { Listener } from './listener.ts'
import type { TargetState, WorkerState } from './metrics-worker.ts'
import { isPreview } from './preview.ts'
import { toRecord } from './record.ts'
import type { CompiledRoute } from './runtime.ts'
import { GatewayServer } from './server.ts'
import { Ticker } from './ticker.ts'
import { createSlicer } from './slice.ts'
import type { HealthVerdicts } from './upstream/health-board.ts'
import type { UpstreamEndpoints } from './upstream/endpoint.ts'
import type { Target } from './upstream/target.ts'
import { TargetRegistry } from './upstream/target-registry.ts'
import { createUpstreamClient } from './upstream/create-client.ts'

export interface ThreadOptions {
  readonly findPolicy: (kind: string) => PolicyDefinition | undefined
  readonly counters: Counters
  readonly quotas: Quotas
  readonly verdicts: HealthVerdicts
  readonly debug: boolean
  /** Keys for TLS session tickets, the same in every thread; 48 random bytes. */
  readonly ticketKeys: Buffer
  readonly log: ThreadLog
  /** Takes the record of every exchange. */
  recorded(record: ExchangeRecord, route: CompiledRoute | undefined): void
  seriesOf(route: RouteSpec): number
}

export interface ThreadLog extends PolicyLog {
  error(facts: Readonly<Record<string, unknown>>, message: string): void
  debug(facts: Readonly<Record<string, unknown>>, message: string): void
}

interface ThreadParts {
  readonly log: ThreadLog
  readonly compiler: RuntimeCompiler
  readonly ticker: Ticker
  readonly targets: TargetRegistry
  readonly server: GatewayServer
  readonly tallies: DeploymentTallies
  readonly callers: CallerTally
}

/** Exchanges without a route share one series. */
export const NO_ROUTE_SERIES = 0

const BREAK_OFF_MS = 1_000

export class GatewayThread {
  readonly server: GatewayServer
  private readonly log: ThreadLog
  private readonly compiler: RuntimeCompiler
  private readonly ticker: Ticker
  private readonly targets: TargetRegistry
  private readonly tallies: DeploymentTallies
  private readonly callers: CallerTally
  private readonly listeners: Listener[] = []

  private constructor({ log, compiler, ticker, targets, server, tallies, callers }: ThreadParts) {
    this.log = log
    this.compiler = compiler
    this.ticker = ticker
    this.targets = targets
    this.server = server
    this.tallies = tallies
    this.callers = callers
  }

  /** Compiles the first snapshot; listening comes after, so that no exchange ever meets a gateway without one. */
  static async create(delivery: SnapshotDelivery, options: ThreadOptions): Promise<GatewayThread> {
    const ticker = new Ticker()
    const tallies = new DeploymentTallies()
    const callers = new CallerTally()
    const targets = new TargetRegistry((spec, target) => createUpstreamClient(spec, target, ticker), options.verdicts)
    const compiler = new RuntimeCompiler({
      findPolicy: options.findPolicy,
      services: {
        clock: systemClock,
        counters: options.counters,
        quotas: options.quotas,
        callers,
        log: options.log,
        random: Math.random,
        fetchDocument,
      },
      targets,
      ticketKeys: options.ticketKeys,
      seriesOf: (route) => options.seriesOf(route),
      tallyOf: (deployment) => tallies.of(deployment),
      pause: createSlicer(),
    })
    await compiler.prepare(delivery)
    const runtime = compiler.commit()
    if (runtime === undefined) throw new Error('what was prepared was not there to be run')
    const server = new GatewayServer(runtime, {
      nextId: createIdGenerator(),
      debug: options.debug,
      finished: (exchange, route, status, endedMs) => finish(exchange, route, status, endedMs, options),
      faulted: createFaultLog({
        error: (facts, message) => options.log.error(facts, message),
        monotonicMs: () => systemClock.monotonicMs(),
      }),
    })
    return new GatewayThread({ log: options.log, compiler, ticker, targets, server, tallies, callers })
  }

  /** Compiles a delivery beside the traffic; `commit` swaps it in. Throws when it does not compile. */
  async prepare(delivery: SnapshotDelivery): Promise<void> {
    await this.compiler.prepare(delivery)
  }

  commit(): void {
    this.server.runtime = this.compiler.commit() ?? this.server.runtime
    this.tallies.retain(this.server.runtime.deployments)
  }

  /** Forgets what was prepared; targets are again exactly those of the running snapshot. */
  discard(): void {
    this.compiler.discard()
    this.tallies.retain(this.server.runtime.deployments)
  }

  updateEndpoints(found: UpstreamEndpoints): void {
    this.targets.update(found)
  }

  /** Opens a port, with TLS when `secure`; returns its number, which the kernel chooses for 0. */
  async listen(host: string, port: number, secure = false): Promise<number> {
    const rejected = (reason: string, ip: string): void =>
      this.log.debug({ reason, ip }, 'a connection was dropped before its first exchange')
    const listener = new Listener({ host, port, secure, gateway: this.server, ticker: this.ticker, rejected })
    await listener.listen()
    this.listeners.push(listener)
    return listener.port
  }

  /** Closes a port that was opened for nothing. */
  unlisten(port: number): void {
    const at = this.listeners.findIndex((listener) => listener.port === port)
    for (const listener of at === -1 ? [] : this.listeners.splice(at, 1)) {
      listener.stop()
      listener.destroy()
    }
  }

  /** Whether the running snapshot has the route. */
  hasRoute(id: string): boolean {
    return this.compiler.hasRoute(id)
  }

  /** Who called deprecated versions since the last call. */
  takeCallerCounts(): CallerCount[] {
    return this.callers.take()
  }

  /** What was counted of deployments that stand side by side since the last call. */
  takeDeploymentCounts(): DeploymentCounts[] {
    return this.tallies.take()
  }

  /** What metrics show of this moment. */
  state(): WorkerState {
    const nowMs = performance.now()
    const targets = [...this.server.runtime.upstreams.values()].flatMap(({ spec, targets: set }) =>
      set.targets.map((target) => toTargetState(spec.name, target, nowMs)),
    )
    const { inFlight, bodyRoom } = this.server
    return { inFlight, connections: this.openConnections, heldBodyBytes: bodyRoom.heldBytes, targets }
  }

  get openConnections(): number {
    return this.listeners.reduce((sum, { connections }) => sum + connections.size, 0)
  }

  /**
   * Ends in order: answers say `Connection: close` during the grace, so that clients move on by themselves; then no new
   * connection is taken, idle ones are closed, and what is under way has `timeoutMs` to finish.
   */
  async drain(graceMs: number, timeoutMs: number): Promise<void> {
    this.server.draining = true
    await until(graceMs, () => this.openConnections === 0)
    for (const listener of this.listeners) {
      listener.stop()
      listener.retire()
    }
    await until(timeoutMs, () => this.openConnections === 0)
    this.close()
    // What was broken off leaves its record when its connection has closed.
    await until(BREAK_OFF_MS, () => this.openConnections === 0)
  }

  close(): void {
    for (const listener of this.listeners) {
      listener.stop()
      listener.destroy()
    }
    this.targets.close()
  }
}

function toTargetState(upstream: string, target: Target, nowMs: number): TargetState {
  return {
    upstream,
    target: target.endpoint.id,
    healthy: target.healthy,
    ejected: nowMs < target.ejectedUntilMs,
    breaker: target.breaker?.state ?? 'closed',
    inFlight: target.inFlight,
  }
}

/** Waits until it is so, or the time is over. */
async function until(ms: number, isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + ms
  while (!isSo() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 10))
}

function finish(
  exchange: Exchange,
  route: CompiledRoute | undefined,
  status: number,
  endedMs: number,
  options: ThreadOptions,
): void {
  // Who tries a revision would be judged with it.
  if (route?.tally !== undefined && !isPreview(exchange)) route.tally.count(exchange, status, endedMs)
  options.recorded(toRecord(exchange, status, endedMs), route)
}
