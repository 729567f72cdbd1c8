import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { testRecord } from '../../test/test-record.ts'
import { testClock } from '../../test/test-services.ts'
import { createCounterMemory, readCounterUse } from '../kernel/counter-table.ts'
import { createMetricsMemory, NO_ROUTE, OTHER_ROUTE, type MetricsBounds } from './metrics-memory.ts'
import { clearWorkerState, WorkerMetrics, type TargetState } from './metrics-worker.ts'
import { Metrics, type MetricsSources } from './metrics.ts'

/** Memories of some workers, and the metrics that the main thread makes of them. */
function testMetrics(workers = 1, bounds: MetricsBounds = {}, sources: Partial<MetricsSources> = {}) {
  const memories = Array.from({ length: workers }, () => createMetricsMemory(bounds))
  const counters = createCounterMemory({ limitSlots: 64, gaugeSlots: 16 })
  const metrics = new Metrics({
    version: '0.1.0',
    memories,
    workersServing: () => workers,
    workerRestarts: () => 0,
    workerVersions: () => [],
    droppedEvents: () => 0,
    isReady: () => true,
    counterUse: () => readCounterUse(counters, testClock()),
    reloads: () => [],
    snapshot: () => ({ version: 'abc', adoptedAtMs: 1500 }),
    ...sources,
  })
  return { memories, metrics, workers: memories.map((memory) => new WorkerMetrics(memory)) }
}

/** The value of one series, undefined when it is not there. */
async function valueOf(metrics: Metrics, series: string): Promise<number | undefined> {
  const text = await metrics.render()
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

const count = (worker: WorkerMetrics | undefined, route: string, times = 1): void => {
  for (let i = 0; i < times; i++) worker?.countRecord(testRecord({ route }), worker.seriesOf(route))
}
const requests = (route: string): string =>
  `headgate_requests_total{api="${route.split('/')[0]}",route="${route}",status="2xx"}`

describe('metrics', () => {
  test('are the sum over all workers', async () => {
    const { metrics, workers } = testMetrics(3)
    for (const worker of workers) count(worker, 'books/1/list', 5)
    expect(await valueOf(metrics, requests('books/1/list'))).toBe(15)
  })

  test('say of a route its statuses, bytes, retries and clients that left', async () => {
    const {
      metrics,
      workers: [worker],
    } = testMetrics()
    const series = worker?.seriesOf('a/1/b') ?? -1
    const facts = { route: 'a/1/b', requestBytes: 3, responseBytes: 50 }
    for (const status of [200, 204, 404, 499, 503])
      worker?.countRecord(testRecord({ ...facts, status, attempts: 3 }), series)
    const labels = 'api="a",route="a/1/b"'
    const values = ['status="2xx"', 'status="3xx"', 'status="4xx"', 'status="5xx"'].map((status) =>
      valueOf(metrics, `headgate_requests_total{${labels},${status}}`),
    )
    expect(await Promise.all(values)).toEqual([2, undefined, 2, 1])
    const others = ['requests_aborted', 'request_bytes', 'response_bytes', 'upstream_retries'].map((name) =>
      valueOf(metrics, `headgate_${name}_total{${labels}}`),
    )
    expect(await Promise.all(others)).toEqual([1, 15, 250, 10])
  })

  test('have cumulative buckets, whose last is the count', async () => {
    const {
      metrics,
      workers: [worker],
    } = testMetrics()
    const series = worker?.seriesOf('a/1/b') ?? -1
    for (const durationMs of [0.5, 1, 1.5, 40, 99_000])
      worker?.countRecord(testRecord({ route: 'a/1/b', durationMs, upstream: '' }), series)
    const bucket = (le: string): Promise<number | undefined> =>
      valueOf(metrics, `headgate_request_duration_seconds_bucket{api="a",route="a/1/b",le="${le}"}`)
    const buckets = await Promise.all(['0.001', '0.0025', '0.025', '0.05', '30', '+Inf'].map(bucket))
    expect(buckets).toEqual([2, 3, 3, 4, 4, 5])
    expect(await valueOf(metrics, 'headgate_request_duration_seconds_sum{api="a",route="a/1/b"}')).toBeCloseTo(99.043)
    expect(await valueOf(metrics, 'headgate_request_duration_seconds_count{api="a",route="a/1/b"}')).toBe(5)
    expect(await metrics.render()).not.toContain('headgate_upstream_duration_seconds')
  })

  test('name problems with whose fault they were', async () => {
    const { metrics, workers } = testMetrics(2)
    for (const worker of workers) {
      for (let i = 0; i < 2; i++)
        worker.countRecord(testRecord({ status: 429, problem: 'rate_limit.exceeded', blame: 'caller' }), NO_ROUTE)
    }
    expect(await valueOf(metrics, 'headgate_problems_total{code="rate_limit.exceeded",blame="caller"}')).toBe(4)
  })

  test('give no series to what a client sends', async () => {
    const {
      metrics,
      workers: [worker],
    } = testMetrics()
    const before = (await metrics.render()).split('\n').length
    for (let i = 0; i < 100; i++) {
      const hostile = {
        route: '',
        path: `/${i}`,
        host: `h${i}`,
        method: `M${i}`,
        consumer: `c${i}`,
        ip: `192.0.2.${i}`,
      }
      worker?.countRecord(
        testRecord({ ...hostile, status: 404, problem: 'route.not_found', blame: 'caller' }),
        NO_ROUTE,
      )
    }
    const after = (await metrics.render()).split('\n').length
    expect(await valueOf(metrics, 'headgate_requests_total{api="none",route="none",status="4xx"}')).toBe(100)
    expect(after - before).toBeLessThan(60)
  })

  test('are text that Prometheus can read, whatever a name holds', async () => {
    const {
      metrics,
      workers: [worker],
    } = testMetrics()
    count(worker, 'a "quoted" \\ name\n/1/b')
    worker?.report({ inFlight: 1, connections: 2, heldBodyBytes: 0, targets: [targetState()] })
    const lines = (await metrics.render()).trimEnd().split('\n')
    const series =
      /^[a-z_]+(\{[a-z]+="([^"\\\n]|\\["\\n])*"(,[a-z]+="([^"\\\n]|\\["\\n])*")*\})? (\d+(\.\d+)?(e[+-]?\d+)?)$/
    expect(lines.filter((line) => !line.startsWith('# ') && line !== '' && !series.test(line))).toEqual([])
    const typed = lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2])
    expect(new Set(typed).size).toBe(typed.length)
  })

  test('keep the counts of a worker that died, and forget its states', async () => {
    const {
      memories: [memory],
      metrics,
      workers: [worker],
    } = testMetrics()
    count(worker, 'a/1/b', 7)
    worker?.countRecord(testRecord({ route: '', problem: 'gateway.fault', blame: 'gateway', status: 500 }), NO_ROUTE)
    worker?.report({ inFlight: 9, connections: 9, heldBodyBytes: 0, targets: [targetState()] })
    if (memory === undefined) throw new Error('one worker has one memory')
    clearWorkerState(memory)
    expect(await valueOf(metrics, 'headgate_requests_in_flight')).toBe(0)
    expect(await metrics.render()).not.toContain('headgate_upstream_target_healthy{')
    const successor = new WorkerMetrics(memory)
    count(successor, 'a/1/b', 3)
    successor.countRecord(testRecord({ route: '', problem: 'gateway.fault', blame: 'gateway', status: 500 }), NO_ROUTE)
    expect(await valueOf(metrics, requests('a/1/b'))).toBe(10)
    expect(await valueOf(metrics, 'headgate_problems_total{code="gateway.fault",blame="gateway"}')).toBe(2)
  })

  test('count reloads, lost lines, workers and how full the counters are', async () => {
    const {
      metrics,
      workers: [worker],
    } = testMetrics(
      1,
      {},
      {
        workerRestarts: () => 4,
        workerVersions: () => [{ worker: 0, version: 'old' }],
        droppedEvents: () => 7,
        reloads: () => [['refused', 1]],
      },
    )
    worker?.countDroppedLines(12)
    const names = [
      'headgate_reloads_total{result="refused"}',
      'headgate_log_lines_dropped_total',
      'headgate_worker_restarts_total',
      'headgate_snapshot_info{version="abc"}',
      'headgate_snapshot_adopted_timestamp_seconds',
      'headgate_counter_slots{table="limits"}',
      'headgate_counter_refusals_total{table="limits"}',
      'headgate_worker_snapshot_info{worker="0",version="old"}',
      'headgate_events_dropped_total',
    ]
    expect(await Promise.all(names.map((name) => valueOf(metrics, name)))).toEqual([1, 12, 4, 1, 1.5, 64, 0, 1, 7])
  })
})

describe('series of routes', () => {
  test('beyond the bound share one', async () => {
    const {
      metrics,
      workers: [worker],
    } = testMetrics(1, { maxRoutes: 3 })
    for (let route = 0; route < 10; route++) count(worker, `a/1/${route}`)
    expect(await valueOf(metrics, requests('a/1/2'))).toBe(1)
    expect(await valueOf(metrics, requests('a/1/3'))).toBeUndefined()
    expect(await valueOf(metrics, 'headgate_requests_total{api="other",route="other",status="2xx"}')).toBe(7)
  })

  test('outlive reloads and never go down while their route is there', async () => {
    const {
      metrics,
      workers: [worker],
    } = testMetrics(1, { maxRoutes: 3 })
    count(worker, 'a/1/stays', 5)
    for (let reload = 0; reload < 20; reload++) {
      count(worker, `a/1/${reload}`)
      worker?.retain((id) => ['a/1/stays', `a/1/${reload}`].includes(id))
      count(worker, 'a/1/stays')
      expect(await valueOf(metrics, requests('a/1/stays'))).toBe(6 + reload)
    }
  })

  test('of a removed route stay until their room is needed, and then begin at zero for the next', async () => {
    const {
      metrics,
      workers: [worker],
    } = testMetrics(1, { maxRoutes: 2 })
    const series = worker?.seriesOf('a/1/old') ?? -1
    count(worker, 'a/1/old', 5)
    count(worker, 'a/1/other', 1)
    worker?.retain((id) => id === 'a/1/other')
    expect(await valueOf(metrics, requests('a/1/old'))).toBe(5)
    count(worker, 'a/1/new', 1)
    expect(await valueOf(metrics, requests('a/1/old'))).toBeUndefined()
    expect(await valueOf(metrics, requests('a/1/new'))).toBe(1)
    // An exchange of the old route that ends late counts for no other route.
    worker?.countRecord(testRecord({ route: 'a/1/old' }), series)
    expect(await valueOf(metrics, requests('a/1/new'))).toBe(1)
    expect(worker?.seriesOf('a/1/old')).toBe(OTHER_ROUTE)
  })
})

function targetState(state: Partial<TargetState> = {}): TargetState {
  return {
    upstream: 'shop',
    target: 'http://10.0.0.1',
    healthy: true,
    ejected: false,
    breaker: 'closed',
    inFlight: 2,
    ...state,
  }
}

describe('targets', () => {
  test('are seen with the eyes of all workers, and go when no worker has them', async () => {
    const { metrics, workers } = testMetrics(2)
    const [first, second] = workers
    const report = (worker: WorkerMetrics | undefined, targets: TargetState[]): void =>
      worker?.report({ inFlight: 3, connections: 10, heldBodyBytes: 0, targets })
    report(first, [targetState({ ejected: true }), targetState({ target: 'http://10.0.0.2', healthy: false })])
    report(second, [targetState({ breaker: 'open' })])
    const of = (name: string, target: number): Promise<number | undefined> =>
      valueOf(metrics, `headgate_upstream_target_${name}{upstream="shop",target="http://10.0.0.${target}"}`)
    expect(await Promise.all(['healthy', 'ejected', 'breaker_open', 'in_flight'].map((name) => of(name, 1)))).toEqual([
      1, 0.5, 0.5, 4,
    ])
    expect(await of('healthy', 2)).toBe(0)
    expect(await valueOf(metrics, 'headgate_requests_in_flight')).toBe(6)
    report(first, [targetState()])
    expect(await of('healthy', 2)).toBeUndefined()
    expect(await of('ejected', 1)).toBe(0)
  })
})

test('the guide names each metric, and no other', async () => {
  const {
    metrics,
    workers: [worker],
  } = testMetrics()
  const facts = { requestBytes: 1, attempts: 2, problem: 'gateway.fault', blame: 'gateway' } as const
  for (const status of [200, 499]) worker?.countRecord(testRecord({ ...facts, status }), NO_ROUTE)
  worker?.report({ inFlight: 1, connections: 1, heldBodyBytes: 0, targets: [targetState()] })
  const names = [...(await metrics.render()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '')
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/observability.md'), 'utf8')
  const documented = [...guide.matchAll(/^\| `((?:headgate|process)_[a-z_]+)`/gm)].map(([, name]) => name ?? '')
  expect(new Set(documented)).toEqual(new Set(names))
  expect(new Set(documented).size).toBe(documented.length)
})
