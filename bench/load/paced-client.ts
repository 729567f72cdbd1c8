/**
 * The paced generator's own process: an open loop that issues requests evenly at a fixed rate, whatever the gateway does, on
 * the free one of 64 connections. Latency counts from the moment a request was issued, also when it had to wait for a
 * connection, so a gateway that stalls is charged for every request of the stall: no coordinated omission. When this process
 * itself wakes up late, that is its own fault and not charged; its longest stall is reported as `ownStallMs`.
 *
 * It spins instead of sleeping, because timers are only exact to a millisecond; its parent gives it idle priority, so that
 * the backend on the same core always goes first.
 */
import { readFileSync } from 'node:fs'
import { percentile } from '../measure/statistics.ts'
import { formatHttp1 } from '../workload.ts'
import { openHttp1, type PacedConnection, type PacedTarget } from './paced-http1.ts'
import { openHttp2 } from './paced-http2.ts'
import type { PacedPlan, PacedResult } from './paced.ts'

const plan: PacedPlan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const requests = (plan.protocol === 'http2' ? [formatHttp1(plan.first)] : plan.raw).map((text) =>
  Buffer.from(text, 'latin1'),
)
// Until this process itself is compiled and warm its own slowness would be measured: the first part does not count.
const warmUp = Math.round(plan.rate * 0.7)
const total = warmUp + Math.round(plan.rate * plan.seconds)
const intervalMs = 1000 / plan.rate

const issuedAt = new Float64Array(total)
const latencies = new Float64Array(total)
const free: PacedConnection[] = []
const inFlight = new Map<PacedConnection, number>()
let ready = 0
let issued = 0
let sent = 0
let completed = 0
let counted = 0
let failed = 0
let failure = ''
let startedAt = 0
let lastTurn = 0
let ownStallMs = 0

const target: PacedTarget = {
  port: plan.port,
  tls: plan.tls,
  expectedStatus: plan.expectedStatus,
  onReady: (connection) => {
    free.push(connection)
    if (++ready === plan.connections) begin()
  },
  onAnswer: (connection, ok) => {
    const number = inFlight.get(connection)
    if (number === undefined) return
    inFlight.delete(connection)
    completed++
    if (number >= warmUp) latencies[counted++] = performance.now() - (issuedAt[number] ?? 0)
    if (!ok) failed++
    free.push(connection)
    sendWaiting()
  },
  onBroken: (connection, reason) => {
    connection.close()
    if (completed === total) return
    failure = reason
    // A connection that closes while nothing is under way on it costs no request; it is replaced like any other.
    const idle = free.indexOf(connection)
    if (idle !== -1) free.splice(idle, 1)
    else target.onAnswer(connection, false)
    const last = free.indexOf(connection)
    if (last !== -1) free.splice(last, 1)
    open()
  },
}

function open(): void {
  if (plan.protocol === 'http2') openHttp2(target, plan.first)
  else openHttp1(target)
}

function begin(): void {
  startedAt = lastTurn = performance.now()
  turn()
}

/** Issues what is due; at the end waits for the answers, but not for ever. */
function turn(): void {
  const now = performance.now()
  if (issued > warmUp) ownStallMs = Math.max(ownStallMs, now - lastTurn)
  lastTurn = now
  while (issued < total && startedAt + issued * intervalMs <= now) issuedAt[issued++] = now
  sendWaiting()
  const isOver = completed >= total || now - startedAt > total * intervalMs + plan.graceMs
  if (isOver) report(now)
  else setImmediate(turn)
}

/** The connection that was free for longest goes first, so that all of them are used. */
function sendWaiting(): void {
  while (sent < issued) {
    const connection = free.shift()
    if (connection === undefined) return
    inFlight.set(connection, sent)
    connection.send(requests[sent++ % requests.length] ?? Buffer.alloc(0))
  }
}

function report(now: number): void {
  const sorted = latencies.subarray(0, counted).sort()
  const result: PacedResult = {
    issued,
    completed,
    failed: failed + (issued - completed),
    failure,
    seconds: (now - startedAt) / 1000,
    // Without a single answer these are NaN, which JSON writes as null.
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: percentile(sorted, 1),
    ownStallMs,
  }
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
}

for (let number = 0; number < plan.connections; number++) open()
setTimeout(() => {
  if (startedAt === 0) throw new Error(`Only ${ready} of ${plan.connections} connections came up. ${failure}`)
}, 20_000).unref()
