/**
 * The counters of a gateway in shared memory: the main thread makes it, hands it to each worker and keeps it as long as
 * the process lives, so counts are exact over threads and outlive reloads and workers. See `counter-table-slots.ts` for
 * how threads share it without locks.
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'
import { FixedWindow } from './counter-table-fixed-window.ts'
import { Fingerprint } from './counter-table-fingerprint.ts'
import { gaugeSlotBytes, GaugeTable, SharedGauge } from './counter-table-gauge.ts'
import { SharedLimiter, type LimitAlgorithm } from './counter-table-limiter.ts'
import { SlidingWindow } from './counter-table-sliding-window.ts'
import { createSlotMemory, SlotTable, type SlotUse } from './counter-table-slots.ts'
import { TokenBucket } from './counter-table-token-bucket.ts'
import { QUOTA_SLOT_BYTES, QuotaTable } from './quota-table.ts'

/**
 * 32 bytes for each key that is counted at one time: 16 MB, of which only what is used takes real memory. One policy alone
 * gets half of them.
 */
const DEFAULT_LIMIT_SLOTS = 2 ** 19
const DEFAULT_GAUGE_SLOTS = 2 ** 14
const DEFAULT_QUOTA_SLOTS = 2 ** 18
const DEFAULT_WORKERS = 64
const LIMIT_SLOT_BYTES = 32

/** What threads hand to each other. */
export interface CounterMemory {
  readonly limits: SharedArrayBuffer
  readonly gauges: SharedArrayBuffer
  readonly quotas: SharedArrayBuffer
}

export interface CounterMemoryOptions {
  /** Keys that can be counted at once; rounded up to a power of two. */
  readonly limitSlots?: number
  readonly gaugeSlots?: number
  readonly quotaSlots?: number
  /** Workers that may count in gauges; indexes start at 0. */
  readonly workers?: number
}

/** Makes empty tables under a random seed, once for a process. */
export function createCounterMemory(options: CounterMemoryOptions = {}): CounterMemory {
  const { limitSlots = DEFAULT_LIMIT_SLOTS, gaugeSlots = DEFAULT_GAUGE_SLOTS } = options
  const { quotaSlots = DEFAULT_QUOTA_SLOTS, workers = DEFAULT_WORKERS } = options
  const random = randomBytes(8)
  const seed = [random.readInt32LE(0), random.readInt32LE(4)] as const
  return {
    limits: createSlotMemory(limitSlots, LIMIT_SLOT_BYTES, seed),
    gauges: createSlotMemory(gaugeSlots, gaugeSlotBytes(workers), seed),
    quotas: createSlotMemory(quotaSlots, QUOTA_SLOT_BYTES, seed),
  }
}

/** The counters as one worker sees them. */
export function createCounters(memory: CounterMemory, clock: Clock, worker = 0): Counters {
  const slots = new SlotTable(memory.limits)
  const gauges = new GaugeTable(memory.gauges)
  const seeded = new Fingerprint(...slots.seed)
  const nowSeconds = (): number => Math.floor(clock.monotonicMs() / 1000)
  // Part of the name is what gives a state its meaning: with another unit or window, it is another counter.
  const limiter = (name: string, algorithm: LimitAlgorithm): SharedLimiter =>
    new SharedLimiter(slots, seeded.derive(name), algorithm, nowSeconds)
  return {
    tokenBucket(policyId, limit, windowMs, burst) {
      const bucket = new TokenBucket(clock, limit, windowMs, burst)
      return limiter(`token-bucket ${bucket.unitsPerToken}/${bucket.unitsPerMs} ${policyId}`, bucket)
    },
    fixedWindow: (policyId, limit, windowMs) =>
      limiter(`fixed-window ${windowMs} ${policyId}`, new FixedWindow(clock, limit, windowMs)),
    slidingWindow: (policyId, limit, windowMs) =>
      limiter(`sliding-window ${windowMs} ${policyId}`, new SlidingWindow(clock, limit, windowMs)),
    gauge: (policyId, limit) => new SharedGauge(gauges, seeded.derive(`gauge ${policyId}`), limit, worker, nowSeconds),
  }
}

/** To be called once a worker is gone: what it had in flight no longer counts. */
export function releaseWorker(memory: CounterMemory, worker: number): void {
  new GaugeTable(memory.gauges).release(worker)
}

export interface CounterUse {
  readonly limits: SlotUse
  readonly gauges: SlotUse
  readonly quotas: SlotUse
}

/** How full the tables are. Reads all slots, about a millisecond: for metrics, not for requests. */
export function readCounterUse(memory: CounterMemory, clock: Clock): CounterUse {
  const nowSeconds = Math.floor(clock.monotonicMs() / 1000)
  return {
    limits: new SlotTable(memory.limits).use(nowSeconds),
    gauges: new GaugeTable(memory.gauges).slots.use(nowSeconds),
    quotas: new QuotaTable(memory.quotas, clock).use(),
  }
}
