/**
 * The metrics of one worker in shared memory: it alone writes, the main thread reads. Numbers are doubles, which are
 * exact up to 2^53. Series have names (route ids, problem codes, targets), which the worker writes beside the numbers,
 * so the main thread can add up what several workers counted under one name, and a worker that takes the place of a
 * dead one goes on where it ended.
 */

/** Upper bounds of the duration buckets, in seconds; the last bucket has none. */
export const bucketSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/**
 * Among thousands of routes a row is in no cache when its request is over, so what a usual record touches fills three lines
 * of eight cells: counts and bytes, and for each duration the sum with the buckets up to 0.1 s.
 */
const LINE_CELLS = 8

/** Cells of a histogram: the sum in seconds, then the buckets, each with what falls into it alone. */
export const SUM = 0
export const BUCKETS = 1
const HISTOGRAM_CELLS = 2 * LINE_CELLS

/** Cells of a route: statuses by their first digit from 1 to 5, then these. */
export const ABORTED = 5
export const REQUEST_BYTES = 6
export const RESPONSE_BYTES = 7
export const DURATION = LINE_CELLS
export const UPSTREAM_DURATION = DURATION + HISTOGRAM_CELLS
export const RETRIES = UPSTREAM_DURATION + HISTOGRAM_CELLS
const ROUTE_CELLS = RETRIES + LINE_CELLS

/** Cells of a target. */
export const HEALTHY_CELL = 0
export const EJECTED_CELL = 1
export const BREAKER_CELL = 2
export const IN_FLIGHT_CELL = 3
const TARGET_CELLS = 4

/** Single cells. */
export const IN_FLIGHT = 0
export const CONNECTIONS = 1
export const DROPPED_LINES = 2
export const HELD_BODY_BYTES = 3
const SINGLE_CELLS = 4

/** Series of exchanges without a route, and of routes for which there is no series of their own. */
export const NO_ROUTE = 0
export const OTHER_ROUTE = 1

/** With the single cells, one line: the rows of routes begin with the next. */
const HEADER_BYTES = 32
const NAME_BYTES = 320

export interface MetricsBounds {
  /** Routes with series of their own; the others share one. */
  readonly maxRoutes?: number
  readonly maxTargets?: number
}

const MAX_PROBLEMS = 512

/** What a worker gets when it starts and its successors get again. */
export function createMetricsMemory({ maxRoutes = 2000, maxTargets = 1024 }: MetricsBounds = {}): SharedArrayBuffer {
  const series = [maxRoutes + 2, MAX_PROBLEMS, maxTargets] as const
  const memory = new SharedArrayBuffer(HEADER_BYTES + bytesOf(...series))
  new Int32Array(memory).set(series)
  const { routes } = new MetricsMemory(memory)
  routes.set(NO_ROUTE, 'none')
  routes.set(OTHER_ROUTE, 'other')
  return memory
}

function bytesOf(routes: number, problems: number, targets: number): number {
  const cells = SINGLE_CELLS + routes * ROUTE_CELLS + problems + targets * TARGET_CELLS
  return cells * 8 + (routes + problems + targets) * NAME_BYTES
}

export class MetricsMemory {
  readonly single: Float64Array
  readonly routes: SeriesTable
  readonly problems: SeriesTable
  readonly targets: SeriesTable

  constructor(memory: SharedArrayBuffer) {
    const [routes = 0, problems = 0, targets = 0] = new Int32Array(memory, 0, 3)
    let at = HEADER_BYTES
    this.single = new Float64Array(memory, at, SINGLE_CELLS)
    at += SINGLE_CELLS * 8
    const take = (series: number, cells: number): SeriesTable => {
      const table = new SeriesTable(memory, at, series, cells)
      at += series * (cells * 8 + NAME_BYTES)
      return table
    }
    this.routes = take(routes, ROUTE_CELLS)
    this.problems = take(problems, 1)
    this.targets = take(targets, TARGET_CELLS)
  }
}

/** Rows of cells, each with a name; a row without one is free. */
export class SeriesTable {
  readonly capacity: number
  readonly cells: Float64Array
  readonly rowCells: number
  private readonly lengths: Int32Array
  private readonly names: Uint8Array

  constructor(memory: SharedArrayBuffer, byteOffset: number, capacity: number, rowCells: number) {
    this.capacity = capacity
    this.rowCells = rowCells
    this.cells = new Float64Array(memory, byteOffset, capacity * rowCells)
    const namesAt = byteOffset + capacity * rowCells * 8
    this.lengths = new Int32Array(memory, namesAt, (capacity * NAME_BYTES) / 4)
    this.names = new Uint8Array(memory, namesAt, capacity * NAME_BYTES)
  }

  /** The name of a row, empty when it is free. */
  nameAt(row: number): string {
    const length = Atomics.load(this.lengths, (row * NAME_BYTES) / 4)
    if (length === 0) return ''
    const start = row * NAME_BYTES + 4
    return Buffer.from(this.names.slice(start, start + length)).toString()
  }

  /** Gives a row to a name, from zero. The length comes last: only then is the name there for other threads. */
  set(row: number, name: string): void {
    this.free(row)
    const start = row * NAME_BYTES + 4
    const { written } = new TextEncoder().encodeInto(name, this.names.subarray(start, start + NAME_BYTES - 4))
    Atomics.store(this.lengths, (row * NAME_BYTES) / 4, written)
  }

  free(row: number): void {
    Atomics.store(this.lengths, (row * NAME_BYTES) / 4, 0)
    this.cells.fill(0, row * this.rowCells, (row + 1) * this.rowCells)
  }

  /** All rows with a name. */
  *[Symbol.iterator](): Generator<{ readonly row: number; readonly name: string }> {
    for (let row = 0; row < this.capacity; row++) {
      const name = this.nameAt(row)
      if (name !== '') yield { row, name }
    }
  }
}
