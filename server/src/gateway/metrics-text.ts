/**
 * Metrics of routes in the text format of Prometheus. There may be tens of thousands of lines, and histograms that are
 * counted elsewhere, which prom-client has no way to take; so they are written here, in one pass over the rows.
 */
import {
  ABORTED,
  BUCKETS,
  bucketSeconds,
  DURATION,
  REQUEST_BYTES,
  RESPONSE_BYTES,
  RETRIES,
  SUM,
  UPSTREAM_DURATION,
} from './metrics-memory.ts'

export interface RouteRow {
  readonly route: string
  readonly cells: Float64Array
}

interface Family {
  readonly name: string
  readonly type: 'counter' | 'histogram'
  readonly help: string
  readonly write: (labels: string, cells: Float64Array, name: string) => string
}

const routeFamilies: readonly Family[] = [
  {
    name: 'headgate_requests_total',
    type: 'counter',
    help: 'Requests by class of the status that the client was sent; 499, a client that left, is in 4xx.',
    write: (labels, cells, name) =>
      [1, 2, 3, 4, 5].map((digit) => line(name, `${labels},status="${digit}xx"`, cells[digit - 1])).join(''),
  },
  counter('headgate_requests_aborted_total', 'Requests whose client left before the answer was there.', ABORTED),
  counter('headgate_request_bytes_total', 'Bytes of request bodies as clients sent them.', REQUEST_BYTES),
  counter('headgate_response_bytes_total', 'Bytes of response bodies as clients were sent them.', RESPONSE_BYTES),
  counter('headgate_upstream_retries_total', 'Attempts at upstreams after the first.', RETRIES),
  histogram('headgate_request_duration_seconds', "From the request's first byte to the response's last.", DURATION),
  histogram(
    'headgate_upstream_duration_seconds',
    "From the first attempt to the head of the upstream's response.",
    UPSTREAM_DURATION,
  ),
]

/** Routes that never had a request are left out, and so are counts that are zero. */
export function toRouteText(rows: readonly RouteRow[]): string {
  const labelled = rows.map(({ route, cells }) => ({ labels: toLabels(route), cells }))
  return routeFamilies
    .map(({ name, type, help, write }) => {
      const lines = labelled.map(({ labels, cells }) => write(labels, cells, name)).join('')
      return lines === '' ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines}`
    })
    .join('')
}

function counter(name: string, help: string, cell: number): Family {
  return { name, type: 'counter', help, write: (labels, cells) => line(name, labels, cells[cell]) }
}

function histogram(name: string, help: string, first: number): Family {
  return { name, type: 'histogram', help, write: (labels, cells) => toHistogram(name, labels, cells, first) }
}

function line(name: string, labels: string, value: number | undefined): string {
  return value === undefined || value === 0 ? '' : `${name}{${labels}} ${value}\n`
}

function toHistogram(name: string, labels: string, cells: Float64Array, first: number): string {
  let count = 0
  let text = ''
  for (const [bucket, seconds] of [...bucketSeconds, '+Inf'].entries()) {
    count += cells[first + BUCKETS + bucket] ?? 0
    text += `${name}_bucket{${labels},le="${seconds}"} ${count}\n`
  }
  if (count === 0) return ''
  return `${text}${name}_sum{${labels}} ${cells[first + SUM] ?? 0}\n${name}_count{${labels}} ${count}\n`
}

/** The api is the part of a route's id before the first slash; series that stand for several have their name twice. */
function toLabels(route: string): string {
  const api = route.split('/', 1)[0] ?? ''
  return `api="${escape(api)}",route="${escape(route)}"`
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
