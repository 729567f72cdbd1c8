/** What a worker counts: every record once, without allocating, and on its beat what is a state rather than a count. */
import type { ExchangeRecord } from '../kernel/record.ts'
import {
  ABORTED,
  BREAKER_CELL,
  BUCKETS,
  bucketSeconds,
  CONNECTIONS,
  DROPPED_LINES,
  DURATION,
  EJECTED_CELL,
  HEALTHY_CELL,
  HELD_BODY_BYTES,
  IN_FLIGHT,
  IN_FLIGHT_CELL,
  MetricsMemory,
  NO_ROUTE,
  OTHER_ROUTE,
  REQUEST_BYTES,
  RESPONSE_BYTES,
  RETRIES,
  SUM,
  UPSTREAM_DURATION,
  type SeriesTable,
} from './metrics-memory.ts'

/** How one worker sees a target. */
export interface TargetState {
  readonly upstream: string
  readonly target: string
  readonly healthy: boolean
  readonly ejected: boolean
  readonly breaker: 'closed' | 'half-open' | 'open'
  readonly inFlight: number
}

export interface WorkerState {
  readonly inFlight: number
  readonly connections: number
  readonly heldBodyBytes: number
  readonly targets: Iterable<TargetState>
}

export class WorkerMetrics {
  private readonly memory: MetricsMemory
  private readonly routes: Map<string, number>
  /**
   * The route of each row, once a row went from one to another. Before that nobody has to ask, and among thousands of
   * routes asking costs two cache misses: the entry here and the name that it is compared with.
   */
  private owners: string[] | undefined
  private readonly problems: Map<string, number>
  private readonly targets: Map<string, number>
  /** Routes of snapshots that run no more, the longest gone first: their rows are taken when all are in use. */
  private readonly gone = new Set<string>()

  constructor(memory: SharedArrayBuffer) {
    this.memory = new MetricsMemory(memory)
    const toRows = (table: SeriesTable): [string, number][] => [...table].map(({ row, name }) => [name, row])
    this.routes = new Map(toRows(this.memory.routes))
    this.problems = new Map(toRows(this.memory.problems).map(([name, row]) => [codeOf(name), row]))
    this.targets = new Map(toRows(this.memory.targets))
  }

  /** Where a route is counted: its own series as long as there is room for one, else the one that is shared. */
  seriesOf(routeId: string): number {
    const known = this.routes.get(routeId)
    this.gone.delete(routeId)
    if (known !== undefined) return known
    const { routes: table } = this.memory
    const [oldest] = this.gone
    if (this.routes.size >= table.capacity && oldest !== undefined) {
      table.free(this.routes.get(oldest) ?? OTHER_ROUTE)
      this.routes.delete(oldest)
      this.gone.delete(oldest)
      this.owners ??= toOwners(this.routes)
    }
    const row = takeRow(table, this.routes.size, routeId)
    if (row === -1) return OTHER_ROUTE
    this.routes.set(routeId, row)
    if (this.owners !== undefined) this.owners[row] = routeId
    return row
  }

  /** To be told once a snapshot runs: routes that it does not have keep their counts until the room is needed. */
  retain(hasRoute: (id: string) => boolean): void {
    for (const [id, row] of this.routes) {
      if (row === NO_ROUTE || row === OTHER_ROUTE) continue
      if (hasRoute(id)) this.gone.delete(id)
      else this.gone.add(id)
    }
  }

  /** Counts a finished exchange; `series` is what `seriesOf` gave when its route was compiled. */
  countRecord(record: ExchangeRecord, series: number): void {
    const { cells, rowCells } = this.memory.routes
    // The row of a route that went long ago may be another's by now.
    const isOwn = series <= OTHER_ROUTE || this.owners === undefined || this.owners[series] === record.route
    const row = (isOwn ? series : OTHER_ROUTE) * rowCells
    const digit = Math.floor(record.status / 100)
    if (digit >= 1 && digit <= 5) add(cells, row + digit - 1, 1)
    if (record.status === 499) add(cells, row + ABORTED, 1)
    add(cells, row + REQUEST_BYTES, record.requestBytes)
    add(cells, row + RESPONSE_BYTES, record.responseBytes)
    observe(cells, row + DURATION, record.durationMs / 1000)
    if (record.upstream !== '' && record.upstreamMs > 0)
      observe(cells, row + UPSTREAM_DURATION, record.upstreamMs / 1000)
    if (record.attempts > 1) add(cells, row + RETRIES, record.attempts - 1)
    if (record.problem !== '') this.countProblem(record.problem, record.blame)
  }

  countDroppedLines(lines: number): void {
    add(this.memory.single, DROPPED_LINES, lines)
  }

  /** Called on the worker's beat, twice a second or so. */
  report({ inFlight, connections, heldBodyBytes, targets }: WorkerState): void {
    const { single, targets: table } = this.memory
    single[IN_FLIGHT] = inFlight
    single[CONNECTIONS] = connections
    single[HELD_BODY_BYTES] = heldBodyBytes
    const gone = new Map(this.targets)
    for (const state of targets) {
      const name = `${state.upstream}\n${state.target}`
      gone.delete(name)
      const row = this.targets.get(name) ?? takeRow(table, this.targets.size, name)
      if (row === -1) continue
      this.targets.set(name, row)
      const at = row * table.rowCells
      table.cells[at + HEALTHY_CELL] = state.healthy ? 1 : 0
      table.cells[at + EJECTED_CELL] = state.ejected ? 1 : 0
      table.cells[at + BREAKER_CELL] = state.breaker === 'closed' ? 0 : 1
      table.cells[at + IN_FLIGHT_CELL] = state.inFlight
    }
    for (const [name, row] of gone) {
      table.free(row)
      this.targets.delete(name)
    }
  }

  private countProblem(code: string, blame: string): void {
    const { problems: table } = this.memory
    let row = this.problems.get(code)
    if (row === undefined) {
      // The blame belongs to the code, so it stands in the name and makes no further series.
      row = takeRow(table, this.problems.size, `${code}\n${blame}`)
      if (row === -1) return
      this.problems.set(code, row)
    }
    add(table.cells, row, 1)
  }
}

/** To be called by the main thread when a worker is gone: its counts stay, its states do not. */
export function clearWorkerState(memory: SharedArrayBuffer): void {
  const { single, targets } = new MetricsMemory(memory)
  single[IN_FLIGHT] = 0
  single[CONNECTIONS] = 0
  single[HELD_BODY_BYTES] = 0
  for (const { row } of targets) targets.free(row)
}

function codeOf(name: string): string {
  return name.slice(0, name.indexOf('\n'))
}

function toOwners(routes: ReadonlyMap<string, number>): string[] {
  const owners: string[] = []
  for (const [id, row] of routes) owners[row] = id
  return owners
}

/** A free row for a name, -1 when all are in use. */
function takeRow(table: SeriesTable, used: number, name: string): number {
  if (used >= table.capacity) return -1
  // As many as are in use come first, unless rows before them were freed.
  for (let row = used; ; row = (row + 1) % table.capacity) {
    if (table.nameAt(row) !== '') continue
    table.set(row, name)
    return row
  }
}

function observe(cells: Float64Array, at: number, seconds: number): void {
  let bucket = 0
  while (bucket < bucketSeconds.length && seconds > (bucketSeconds[bucket] ?? 0)) bucket++
  add(cells, at + SUM, seconds)
  add(cells, at + BUCKETS + bucket, 1)
}

function add(cells: Float64Array, at: number, amount: number): void {
  cells[at] = (cells[at] ?? 0) + amount
}
