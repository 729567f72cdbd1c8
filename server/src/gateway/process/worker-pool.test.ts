import { expect, onTestFinished, test, vi } from 'vitest'
import { createCounterMemory } from '../../kernel/counter-table.ts'
import { createLog } from '../../kernel/log.ts'
import type { SnapshotLines } from '../../kernel/snapshot-delivery.ts'
import { WorkerPool } from './worker-pool.ts'

interface TestPool {
  readonly pool: WorkerPool
  readonly messages: readonly string[]
  /** How many workers there were. */
  readonly lives: () => number
  /** Ends the worker, as a fault would. */
  readonly endWorker: () => void
  /** Lets a worker go on that waits before it listens. */
  readonly letGo: () => void
}

interface PoolFacts {
  readonly startLimitMs?: number
  readonly workers?: number
}

/** A pool of workers that follow a script; see `scripted-worker.ts`. */
async function startPool(script: string, { startLimitMs, workers = 1 }: PoolFacts = {}): Promise<TestPool> {
  const messages: string[] = []
  const memory = new SharedArrayBuffer(1024)
  const signal = (at: number): void => {
    Atomics.store(new Int32Array(memory), at, 1)
    Atomics.notify(new Int32Array(memory), at)
  }
  const letGo = (): void => signal(1)
  const lives = (): number => Atomics.load(new Int32Array(memory), 0)
  const pool = new WorkerPool(linesOf('old'), {
    workers,
    log: createLog('info', { write: (line) => void messages.push(String(JSON.parse(line).msg)) }),
    entry: new URL('../../../test/process/scripted-worker.ts', import.meta.url),
    ...(startLimitMs !== undefined && { startLimitMs }),
    start: {
      host: script,
      port: 0,
      tlsPort: undefined,
      debug: false,
      logLevel: 'info',
      counters: createCounterMemory({ limitSlots: 16, gaugeSlots: 16 }),
      verdicts: new SharedArrayBuffer(8),
      ticketKeys: new Uint8Array(48),
    },
    metrics: Array.from({ length: workers }, () => memory),
    openLogOutput: () => new MessageChannel().port2,
    maxHeapMb: 64,
    lost: () => {
      if (script === 'dies-while-the-other-prepares') letGo()
    },
    received: ({ kind }) => {
      if (script !== 'dies-once-it-is-prepared') return
      if (kind === 'prepared') signal(2)
      // The other goes on once the successor has begun to serve.
      if (kind === 'listening' && lives() === 3) letGo()
    },
  })
  onTestFinished(() => pool.terminate())
  await pool.start()
  return {
    pool,
    messages,
    lives,
    endWorker: () => pool.tellEndpoints({ upstream: 'any', targetsKey: '', endpoints: [] }),
    letGo,
  }
}

function linesOf(version: string): SnapshotLines {
  return { version, lines: new Map([['header', version]]) }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a worker that cannot take what the others took while it started is replaced by one that runs it', async () => {
  const { pool, messages, lives, endWorker, letGo } = await startPool('refuses-in-its-second-life')
  expect(pool.versions()).toEqual([{ worker: 0, version: 'old' }])
  endWorker()
  await until(() => lives() === 2)
  await pool.adopt(linesOf('new'), undefined)
  letGo()
  await until(() => pool.versions()[0]?.version === 'new')
  expect(messages).toContain('a gateway worker cannot take the running configuration and is replaced')
  expect(pool.restarts).toBe(2)
})

test('a worker that hangs before it serves is ended and replaced', async () => {
  const { pool, messages, endWorker } = await startPool('hangs-in-its-second-life', { startLimitMs: 1_000 })
  endWorker()
  await until(() => pool.restarts === 2 && pool.serving === 1)
  expect(messages).toContain('a gateway worker did not begin to serve and is ended')
})

test('a worker that runs out of memory takes nobody with it and is replaced', async () => {
  const { pool, messages, endWorker } = await startPool('fills-its-memory-in-its-second-life')
  endWorker()
  await until(() => pool.restarts === 2 && pool.serving === 1)
  expect(messages).toContain('a gateway worker failed')
})

test('a worker says which version it runs from the moment that it does', async () => {
  const { pool } = await startPool('does-as-it-is-told')
  await pool.adopt(linesOf('new'), undefined)
  await until(() => pool.versions()[0]?.version === 'committed')
  expect(pool.restarts).toBe(0)
})

test('a worker that cannot take a change is given everything, and goes on', async () => {
  const { pool, messages } = await startPool('takes-no-changes')
  await pool.adopt(linesOf('new'), undefined)
  await until(() => pool.versions()[0]?.version === 'committed')
  expect(pool.restarts).toBe(0)
  expect(messages).toEqual([])
})

test('a worker that dies before its turn to take a change lets nobody wait for it', async () => {
  const { pool } = await startPool('dies-while-the-other-prepares', { workers: 2 })
  // With a port that the kernel chooses the workers prepare one after the other.
  await expect(pool.adopt(linesOf('new'), 0)).rejects.toThrow('a worker ended while it prepared the configuration')
  await until(() => pool.restarts === 1 && pool.serving === 2)
  expect(pool.versions().map(({ version }) => version)).toEqual(['old', 'old'])
  await pool.adopt(linesOf('new'), 0)
  await until(() => pool.versions().every(({ version }) => version === 'committed'))
})

test('the successor of a worker that died between taking a change and all others having it runs it too', async () => {
  const { pool } = await startPool('dies-once-it-is-prepared', { workers: 2 })
  await pool.adopt(linesOf('new'), undefined)
  await until(() => pool.versions().every(({ version }) => version === 'committed'))
  expect([pool.restarts, pool.serving]).toEqual([1, 2])
})

test('a worker is ended for its silence, not for a clock that went on while the machine stood still', async () => {
  const { messages, lives } = await startPool('is-silent')
  const startedAtMs = performance.now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => startedAtMs + 60_000)
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  clock.mockRestore()
  expect([lives(), messages]).toEqual([1, []])
  await until(() => lives() === 2)
  expect(performance.now() - startedAtMs).toBeGreaterThan(5_000)
  expect(messages).toContain('a gateway worker does not answer and is ended')
}, 15_000)
