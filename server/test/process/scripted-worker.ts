/**
 * A worker thread that misbehaves, so that the pool's answer can be seen: how is what it is given as its host. What it is
 * told between its lives stands in the memory that is for metrics: how many there were, whether it may go on, and whether
 * it is to die.
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { FromWorker, ToWorker, WorkerStart } from '../../src/gateway/process/messages.ts'

const start = workerData as WorkerStart
const { host: script } = start
const memory = new Int32Array(start.metrics)
const life = Atomics.add(memory, 0, 1)
const tell = (message: FromWorker): void => parentPort?.postMessage(message)

if (script !== 'is-silent') setInterval(() => Atomics.add(new Int32Array(start.heartbeats), start.index, 1), 100)
if (script === 'hangs-in-its-second-life' && life === 1) for (;;);
if (script === 'fills-its-memory-in-its-second-life' && life === 1) fillMemory()
if (script === 'refuses-in-its-second-life' && life === 1) Atomics.wait(memory, 1, 0)
if (script === 'dies-while-the-other-prepares' && life === 1) dieWhenTold()
if (script === 'dies-once-it-is-prepared' && life === 0) dieWhenTold()

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'begin')
    tell({ kind: 'listening', port: 1, tlsPort: start.tlsPort, version: message.delivery.version })
  if (message.kind === 'endpoints') process.exit(7)
  if (message.kind === 'prepare') {
    const { order } = message
    if (script === 'dies-while-the-other-prepares') outliveTheOther()
    if (script === 'dies-once-it-is-prepared' && life === 1) Atomics.wait(memory, 1, 0)
    if (life === 1 && script !== 'dies-once-it-is-prepared')
      tell({ kind: 'refused', order, reason: 'not in this life' })
    else if (script === 'takes-no-changes' && !message.delivery.isWhole)
      tell({ kind: 'refused', order, reason: 'it has something else' })
    else tell({ kind: 'prepared', order, tlsPort: message.tlsPort })
  }
  if (message.kind === 'commit') tell({ kind: 'running', version: 'committed' })
})

function dieWhenTold(): void {
  const { value } = Atomics.waitAsync(memory, 2, 0)
  if (value instanceof Promise) void value.then(() => process.exit(7))
}

/** Lets it die, and goes on when the pool knows. */
function outliveTheOther(): void {
  Atomics.store(memory, 2, 1)
  Atomics.notify(memory, 2)
  Atomics.wait(memory, 1, 0)
}

function fillMemory(): void {
  for (const kept: number[][] = []; ;) kept.push(Array.from({ length: 10_000 }, (_, at) => at / 3))
}
