/** What a worker thread does: one `GatewayThread`, told by the main thread what to do. */
import { flushCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../kernel/clock.ts'
import { createCounters } from '../../kernel/counter-table.ts'
import { createLog } from '../../kernel/log.ts'
import { createQuotas } from '../../kernel/quota-table.ts'
import type { SnapshotDelivery } from '../../kernel/snapshot-delivery.ts'
import { findPolicy } from '../../policies/index.ts'
import { createAccessLog } from '../access-log.ts'
import { NO_ROUTE_TEXT } from '../access-log-line.ts'
import { WorkerMetrics } from '../metrics-worker.ts'
import { createLogWriter } from '../log-writer.ts'
import { GatewayThread, NO_ROUTE_SERIES } from '../thread.ts'
import { toHealthVerdicts } from '../upstream/health-board.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'

const BEAT_MS = 500
/** Time for the last lines of the access log; whoever has not read them by then does not read. */
const LAST_LINES_MS = 3_000

const port = parentPort
if (port === null) throw new Error('serve.ts runs in a worker thread of a gateway')
const start = workerData as WorkerStart
const tell = (message: FromWorker): void => port.postMessage(message)
const log = createLog(start.logLevel, { write: (line) => tell({ kind: 'event', line }) }).child({ worker: start.index })

const metrics = new WorkerMetrics(start.metrics)
const accessLog = createAccessLog({
  ...createLogWriter(start.logOutput),
  dropped: (lines) => metrics.countDroppedLines(lines),
})

const beats = new Int32Array(start.heartbeats)

/** What the thread begins with; taken out, so that it does not stay in memory as long as the thread. */
const begin: SnapshotDelivery[] = []
const hasBegin = Promise.withResolvers<void>()
const canHandle = Promise.withResolvers<void>()

/** Messages are handled one after the other: a commit must not overtake its prepare. The first ones wait for the thread. */
let last: Promise<void> = canHandle.promise
port.on('message', (message: ToWorker) => {
  if (message.kind !== 'begin') last = last.then(() => handle(message))
  else {
    begin.push(message.delivery)
    hasBegin.resolve()
  }
})

async function takeBegin(): Promise<SnapshotDelivery> {
  await hasBegin.promise
  const delivery = begin.pop()
  if (delivery === undefined) throw new Error('a worker begins with a snapshot')
  return delivery
}

const thread = await GatewayThread.create(await takeBegin(), {
  findPolicy,
  counters: createCounters(start.counters, systemClock, start.index),
  quotas: createQuotas(start.counters.quotas, systemClock, (name) => tell({ kind: 'counting', name })),
  verdicts: toHealthVerdicts(start.verdicts),
  debug: start.debug,
  ticketKeys: Buffer.from(start.ticketKeys),
  log,
  recorded: (record, route) => {
    metrics.countRecord(record, route === undefined ? NO_ROUTE_SERIES : route.series)
    if (!thread.server.runtime.listener.accessLog.enabled) return
    accessLog.append(record, route === undefined ? NO_ROUTE_TEXT : route.logText)
  },
  seriesOf: (route) => metrics.seriesOf(route.id),
})
metrics.retain((id) => thread.hasRoute(id))
setInterval(() => {
  Atomics.add(beats, start.index, 1)
  metrics.report(thread.state())
  const counts = thread.takeDeploymentCounts()
  if (counts.length > 0) tell({ kind: 'deployments', counts })
  const callers = thread.takeCallerCounts()
  if (callers.length > 0) tell({ kind: 'callers', counts: callers })
}, BEAT_MS)
for (const found of start.endpoints) thread.updateEndpoints(found)

/** The port with TLS, and the same while it is open only for what is prepared. */
let tlsPort: number | undefined
let preparedTlsPort: number | undefined

async function listenWithTls(wanted: number): Promise<number> {
  try {
    return await thread.listen(start.host, wanted, true)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new Error(`the configuration has certificates, and port ${wanted} for TLS cannot be opened (${code})`, {
      cause,
    })
  }
}

canHandle.resolve()

async function handle(message: Exclude<ToWorker, { kind: 'begin' }>): Promise<void> {
  switch (message.kind) {
    case 'prepare':
      try {
        await thread.prepare(message.delivery)
        if (message.tlsPort !== undefined && tlsPort === undefined) {
          preparedTlsPort = await listenWithTls(message.tlsPort)
          tlsPort = preparedTlsPort
        }
        tell({ kind: 'prepared', order: message.order, tlsPort })
      } catch (cause) {
        thread.discard()
        log.error({ err: cause }, 'a snapshot cannot be taken')
        tell({ kind: 'refused', order: message.order, reason: cause instanceof Error ? cause.message : String(cause) })
      }
      return
    case 'commit':
      preparedTlsPort = undefined
      thread.commit()
      metrics.retain((id) => thread.hasRoute(id))
      tell({ kind: 'running', version: thread.server.runtime.version })
      return
    case 'discard':
      if (preparedTlsPort !== undefined) {
        thread.unlisten(preparedTlsPort)
        tlsPort = undefined
        preparedTlsPort = undefined
      }
      thread.discard()
      return
    case 'endpoints':
      thread.updateEndpoints(message.found)
      return
    case 'drain':
      await thread.drain(message.graceMs, message.timeoutMs)
      await Promise.race([accessLog.close(), new Promise((resolve) => setTimeout(resolve, LAST_LINES_MS))])
      tell({ kind: 'drained' })
      process.exit(0)
  }
}

const plainPort = await thread.listen(start.host, start.port)
if (start.tlsPort !== undefined) tlsPort = await thread.listen(start.host, start.tlsPort, true)
tell({ kind: 'listening', port: plainPort, tlsPort, version: thread.server.runtime.version })
flushCompileCache()
