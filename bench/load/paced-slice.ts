/**
 * One slice of the paced generator: an open loop in which requests are due evenly at a fixed rate, whatever the gateway
 * does, each on the free one of 64 connections. Latency counts from the moment a request was due, also when it had to wait
 * for a connection or for this process itself: nothing is omitted, and what the generator adds is charged to whom it tests.
 * How late it ever was in issuing what was due is reported as `ownStallMs`.
 *
 * It spins instead of sleeping, because timers are only exact to a millisecond and an idle virtual core takes its time to
 * wake up.
 */
import { percentile } from '../measure/statistics.ts'
import { openHttp1, type PacedConnection, type PacedTarget } from './paced-http1.ts'
import { openHttp2 } from './paced-http2.ts'
import type { PacedPlan, PacedResult } from './paced.ts'

interface Slice {
  plan: PacedPlan
  requests: Buffer[]
  target: PacedTarget
  finish: (result: PacedResult) => void
  /** Requests before this one warm up connections and are not counted. */
  firstCounted: number
  total: number
  intervalMs: number
  latencies: Float64Array
  open: Set<PacedConnection>
  free: PacedConnection[]
  startedAt: number
  issued: number
  sent: number
  completed: number
  counted: number
  failed: number
  failure: string
  ownStallMs: number
  isOver: boolean
}

const warmUpSeconds = 0.3
const connectMs = 20_000

/** Opens the connections, puts the load on, and hands the result over when all is answered or the grace time is over. */
export function runSlice(plan: PacedPlan, requests: Buffer[], finish: (result: PacedResult) => void): void {
  const firstCounted = Math.round(plan.rate * warmUpSeconds)
  const total = firstCounted + Math.round(plan.rate * plan.seconds)
  const slice: Slice = {
    plan,
    requests,
    target: { ...plan, onReady, onAnswer, onBroken },
    finish,
    firstCounted,
    total,
    intervalMs: 1000 / plan.rate,
    latencies: new Float64Array(total),
    open: new Set(),
    free: [],
    startedAt: 0,
    issued: 0,
    sent: 0,
    completed: 0,
    counted: 0,
    failed: 0,
    failure: '',
    ownStallMs: 0,
    isOver: false,
  }
  const deadline = setTimeout(() => end(slice, performance.now()), connectMs)

  function onReady(connection: PacedConnection): void {
    slice.open.add(connection)
    slice.free.push(connection)
    if (slice.startedAt > 0 || slice.free.length < plan.connections) return
    clearTimeout(deadline)
    slice.startedAt = performance.now()
    turn(slice)
  }

  function onAnswer(connection: PacedConnection, ok: boolean): void {
    if (connection.request === -1) return
    settle(slice, connection, ok)
    slice.free.push(connection)
    sendWaiting(slice)
  }

  /** A connection that closes while nothing is under way on it costs no request; it is replaced like any other. */
  function onBroken(connection: PacedConnection, reason: string): void {
    connection.close()
    slice.open.delete(connection)
    if (slice.isOver) return
    slice.failure = reason
    const idle = slice.free.indexOf(connection)
    if (idle !== -1) slice.free.splice(idle, 1)
    if (connection.request !== -1) settle(slice, connection, false)
    openConnection(slice)
  }

  for (let number = 0; number < plan.connections; number++) openConnection(slice)
}

function openConnection({ plan, target }: Slice): void {
  if (plan.protocol === 'http2') openHttp2(target, plan.first)
  else openHttp1(target)
}

/** Issues what is due; at the end waits for the answers, but not for ever. */
function turn(slice: Slice): void {
  const now = performance.now()
  const due = Math.min(Math.floor((now - slice.startedAt) / slice.intervalMs) + 1, slice.total)
  if (due > slice.issued) {
    if (slice.issued >= slice.firstCounted)
      slice.ownStallMs = Math.max(slice.ownStallMs, now - dueAt(slice, slice.issued))
    slice.issued = due
    sendWaiting(slice)
  }
  const isOver = slice.completed >= slice.total || now > dueAt(slice, slice.total) + slice.plan.graceMs
  if (isOver) end(slice, now)
  else setImmediate(turn, slice)
}

function dueAt(slice: Slice, request: number): number {
  return slice.startedAt + request * slice.intervalMs
}

/** The connection that was free for longest goes first, so that all of them are used. */
function sendWaiting(slice: Slice): void {
  while (slice.sent < slice.issued) {
    const connection = slice.free.shift()
    if (connection === undefined) return
    connection.request = slice.sent
    const bytes = slice.requests[slice.sent++ % slice.requests.length]
    if (bytes !== undefined) connection.send(bytes)
  }
}

function settle(slice: Slice, connection: PacedConnection, ok: boolean): void {
  const { request } = connection
  connection.request = -1
  slice.completed++
  if (request >= slice.firstCounted) slice.latencies[slice.counted++] = performance.now() - dueAt(slice, request)
  if (!ok) slice.failed++
}

function end(slice: Slice, now: number): void {
  const { issued, completed, failed, failure, startedAt, ownStallMs } = slice
  slice.isOver = true
  for (const connection of slice.open) connection.close()
  chargeUnanswered(slice, now)
  const sorted = slice.latencies.subarray(0, slice.counted).sort()
  const isStarted = startedAt > 0
  slice.finish({
    issued,
    completed,
    failed: failed + (issued - completed),
    failure: isStarted
      ? failure
      : `only ${slice.free.length} of ${slice.plan.connections} connections came up: ${failure}`,
    seconds: isStarted ? (now - startedAt) / 1000 : 0,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: percentile(sorted, 1),
    ownStallMs,
  })
}

/** What was never answered has waited until now, and more: leaving it out would flatter. */
function chargeUnanswered(slice: Slice, now: number): void {
  const underWay = [...slice.open].map(({ request }) => request)
  for (let request = slice.sent; request < slice.issued; request++) underWay.push(request)
  for (const request of underWay) {
    if (request >= slice.firstCounted) slice.latencies[slice.counted++] = now - dueAt(slice, request)
  }
}
