/**
 * The main thread's side of metrics: adds up what the workers have counted when Prometheus asks, and not before. Labels
 * come from the configuration alone, so no client can make series.
 */
import { Counter, Gauge, Registry } from 'prom-client'
import type { CounterUse } from '../kernel/counter-table.ts'
import {
  BREAKER_CELL,
  CONNECTIONS,
  DROPPED_LINES,
  EJECTED_CELL,
  HEALTHY_CELL,
  HELD_BODY_BYTES,
  IN_FLIGHT,
  IN_FLIGHT_CELL,
  MetricsMemory,
  type SeriesTable,
} from './metrics-memory.ts'
import { toRouteText, type RouteRow } from './metrics-text.ts'

/** What is known outside the workers' memories; asked at each scrape. */
export interface MetricsSources {
  readonly version: string
  /** One for each worker, running or not. */
  readonly memories: readonly SharedArrayBuffer[]
  workersServing(): number
  workerRestarts(): number
  /** The snapshot that each worker runs. */
  workerVersions(): readonly { readonly worker: number; readonly version: string }[]
  /** Lines of the event log that were lost. */
  droppedEvents(): number
  isReady(): boolean
  counterUse(): CounterUse
  /** How many configurations were read again, by what became of them. */
  reloads(): Iterable<readonly [ReloadResult, number]>
  /** Version of the snapshot that runs, and the wall-clock milliseconds since when. */
  snapshot(): { readonly version: string; readonly adoptedAtMs: number } | undefined
}

export type ReloadResult = 'adopted' | 'unchanged' | 'refused' | 'failed'

export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  private readonly registry = new Registry()
  private readonly workers: readonly MetricsMemory[]
  private readonly sources: MetricsSources
  /** Counting the used slots reads all of them, so it is done once for a scrape. */
  private counterUse: CounterUse | undefined

  constructor(sources: MetricsSources) {
    this.sources = sources
    this.workers = sources.memories.map((memory) => new MetricsMemory(memory))
    this.addGateway()
    this.addProblems()
    this.addTargets()
    this.addCounterTables()
    this.addProcess()
  }

  /** The text format of Prometheus, version 0.0.4. */
  async render(): Promise<string> {
    this.counterUse = this.sources.counterUse()
    return (await this.registry.metrics()) + toRouteText(this.sumRoutes())
  }

  private addGateway(): void {
    const { sources } = this
    this.gauge('headgate_ready', '1 while the gateway takes traffic.', () => (sources.isReady() ? 1 : 0))
    this.gauge('headgate_workers', 'Worker threads that serve.', () => sources.workersServing())
    this.counter('headgate_worker_restarts_total', 'Worker threads that were replaced.', () => sources.workerRestarts())
    this.gauge('headgate_requests_in_flight', 'Requests under way.', () => this.sum(IN_FLIGHT))
    this.gauge('headgate_connections_open', "Clients' connections that are open.", () => this.sum(CONNECTIONS))
    this.gauge('headgate_held_body_bytes', 'Bytes of bodies in memory.', () => this.sum(HELD_BODY_BYTES))
    this.counter('headgate_log_lines_dropped_total', 'Lines of the access log that were lost.', () =>
      this.sum(DROPPED_LINES),
    )
    this.counter('headgate_events_dropped_total', 'Lines of the event log that were lost.', () =>
      sources.droppedEvents(),
    )
    const reloads = 'Configurations that were read again, by what became of them.'
    this.labelled(
      'headgate_reloads_total',
      reloads,
      ['result'],
      (set) => {
        for (const [result, count] of sources.reloads()) set({ result }, count)
      },
      Counter,
    )
    this.labelled('headgate_snapshot_info', 'Version of the configuration that runs.', ['version'], (set) => {
      const snapshot = sources.snapshot()
      if (snapshot !== undefined) set({ version: snapshot.version }, 1)
    })
    const running = 'Version of the configuration that each worker runs.'
    this.labelled('headgate_worker_snapshot_info', running, ['worker', 'version'], (set) => {
      for (const { worker, version } of sources.workerVersions()) set({ worker: `${worker}`, version }, 1)
    })
    this.gauge(
      'headgate_snapshot_adopted_timestamp_seconds',
      'When the configuration went live.',
      () => (sources.snapshot()?.adoptedAtMs ?? 0) / 1000,
    )
    this.labelled('headgate_build_info', 'Version of Headgate and of Node.', ['version', 'node'], (set) =>
      set({ version: sources.version, node: process.version }, 1),
    )
  }

  private addProblems(): void {
    const counter: Counter<'code' | 'blame'> = new Counter({
      name: 'headgate_problems_total',
      help: 'Answers that Headgate gave instead of an upstream, by stable code and whose fault it was.',
      labelNames: ['code', 'blame'],
      registers: [this.registry],
      collect: () => {
        counter.reset()
        for (const { problems } of this.workers) {
          for (const { row, name } of problems) {
            const [code = '', blame = ''] = name.split('\n')
            counter.inc({ code, blame }, problems.cells[row] ?? 0)
          }
        }
      },
    })
  }

  private addTargets(): void {
    const add = (name: string, help: string, read: (views: TargetViews) => number): void =>
      this.labelled(name, help, ['upstream', 'target'], (set) => {
        for (const [id, views] of this.viewTargets()) {
          const [upstream = '', target = ''] = id.split('\n')
          set({ upstream, target }, read(views))
        }
      })
    add('headgate_upstream_target_healthy', '1 when the health checks say so, or there are none.', (views) =>
      views.some((view) => view(HEALTHY_CELL) === 0) ? 0 : 1,
    )
    add('headgate_upstream_target_ejected', 'Share of the workers that leave the target out after failures.', (views) =>
      mean(views.map((view) => view(EJECTED_CELL))),
    )
    add('headgate_upstream_target_breaker_open', 'Share of the workers whose circuit breaker is not closed.', (views) =>
      mean(views.map((view) => view(BREAKER_CELL))),
    )
    add('headgate_upstream_target_in_flight', 'Requests that the target has.', (views) =>
      views.reduce((sum, view) => sum + view(IN_FLIGHT_CELL), 0),
    )
  }

  private addCounterTables(): void {
    const add = (kind: typeof Counter | typeof Gauge, name: string, help: string, field: CounterField): void =>
      this.labelled(
        name,
        help,
        ['table'],
        (set) => {
          for (const [table, use] of Object.entries(this.counterUse ?? {})) set({ table }, use[field])
        },
        kind,
      )
    add(Gauge, 'headgate_counter_slots', 'Keys that can be counted at once.', 'slots')
    add(Gauge, 'headgate_counter_slots_used', 'Keys that are counted now.', 'used')
    add(Counter, 'headgate_counter_evictions_total', 'Slots that were taken from expired keys.', 'evictions')
    add(Counter, 'headgate_counter_refusals_total', 'Requests for whose key there was no slot.', 'refusals')
  }

  private addProcess(): void {
    this.counter('process_cpu_seconds_total', 'Processor time of the process, user and system.', () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    })
    this.gauge('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss())
    const startedSeconds = Date.now() / 1000 - process.uptime()
    this.gauge('process_start_time_seconds', 'When the process began, in seconds since 1970.', () => startedSeconds)
  }

  /** Rows of all workers under one name are one row; those that never had a request are left out. */
  private sumRoutes(): RouteRow[] {
    const sums = new Map<string, Float64Array>()
    for (const { routes } of this.workers) {
      for (const { row, name } of routes) {
        const cells = routes.cells.subarray(row * routes.rowCells, (row + 1) * routes.rowCells)
        if (cells.every((cell) => cell === 0)) continue
        const sum = sums.get(name)
        if (sum === undefined) sums.set(name, cells.slice())
        else for (let cell = 0; cell < sum.length; cell++) sum[cell] = (sum[cell] ?? 0) + (cells[cell] ?? 0)
      }
    }
    return [...sums].map(([route, cells]) => ({ route, cells }))
  }

  private viewTargets(): Map<string, TargetViews> {
    const views = new Map<string, TargetViews>()
    for (const { targets } of this.workers) {
      for (const { row, name } of targets) {
        views.set(name, [...(views.get(name) ?? []), toView(targets, row)])
      }
    }
    return views
  }

  private sum(cell: number): number {
    return this.workers.reduce((sum, { single }) => sum + (single[cell] ?? 0), 0)
  }

  private gauge(name: string, help: string, read: () => number): void {
    this.labelled(name, help, [], (set) => set({}, read()))
  }

  private counter(name: string, help: string, read: () => number): void {
    this.labelled(name, help, [], (set) => set({}, read()), Counter)
  }

  /** A metric that is filled anew at each scrape. */
  private labelled<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    fill: (set: (labels: Partial<Record<Label, string>>, value: number) => void) => void,
    kind: typeof Counter | typeof Gauge = Gauge,
  ): void {
    const metric: Counter<Label> | Gauge<Label> = new kind<Label>({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => {
        metric.reset()
        fill((labels, value) => metric.inc(labels, value))
      },
    })
  }
}

type CounterField = 'slots' | 'used' | 'evictions' | 'refusals'
/** Cells of one target, as each worker sees them. */
type TargetViews = readonly ((cell: number) => number)[]

function toView(table: SeriesTable, row: number): (cell: number) => number {
  return (cell) => table.cells[row * table.rowCells + cell] ?? 0
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}
