/**
 * The counts of quotas in shared memory: all threads of a gateway count in the same slots, exactly. A slot has what is
 * used altogether, which decides, and what was counted since the main thread last collected it. The table knows keys by
 * fingerprint only, so whoever counts in a slot that the main thread has no name for tells it (`announce`).
 */
import { hash } from 'node:crypto'
import type { CalendarPeriod } from './calendar.ts'
import type { Clock } from './clock.ts'
import { Fingerprint } from './counter-table-fingerprint.ts'
import { SLOT_EXTRA, SlotTable, type SlotUse } from './counter-table-slots.ts'
import { fromNumber, toNumber } from './counter-table-words.ts'
import type { Limiter } from './counters.ts'
import type { QuotaName, Quotas } from './quotas.ts'

/**
 * The main thread keeps every key for as long as its period lasts, on disk too, and whoever calls may choose them: of a
 * longer one it gets the digest.
 */
const MOST_KEY_CHARS = 256

/** A slot is kept this long after its period, so that its last counts can be collected. */
const GRACE_SECONDS = 10

/**
 * Within a slot, in 32-bit words: the 64-bit count to be collected, 1 once the main thread has a name for the slot, how
 * much a second the other gateways counted before the last sum, and the monotonic millisecond that the sum was true at.
 */
const COLLECTABLE = SLOT_EXTRA
const NAMED = COLLECTABLE + 2
const PACE = NAMED + 1
const PACED_AT = PACE + 1
/** A multiple of 8, as the 64-bit words need it. */
export const QUOTA_SLOT_BYTES = 8 * Math.ceil((PACED_AT + 1) / 2)

/** Without another sum for so long, nothing is guessed any more. */
const MAX_GUESS_MS = 3_000
const MAX_PACE = 2 ** 31 - 1

/** The fingerprint of a name, and the number of its policy. */
export interface SlotKey {
  readonly low: number
  readonly high: number
  readonly id: number
}

/** The counts as one worker sees them; `announce` takes names to the main thread, the same one more than once. */
export function createQuotas(memory: SharedArrayBuffer, clock: Clock, announce: (name: QuotaName) => void): Quotas {
  const table = new QuotaTable(memory, clock)
  return {
    calendar: (policyId, limit, periodAt, countsBeyond) =>
      new CalendarQuota(table, { policyId, limit, periodAt, countsBeyond, clock, announce }),
  }
}

/** The slots, by fingerprints of names. A used slot's state is what is used, plus 1. */
export class QuotaTable {
  tableFull = false
  private readonly slots: SlotTable
  private readonly longs: BigInt64Array
  private readonly seed: Fingerprint
  private readonly clock: Clock

  constructor(memory: SharedArrayBuffer, clock: Clock) {
    this.slots = new SlotTable(memory)
    this.longs = new BigInt64Array(memory)
    this.seed = new Fingerprint(...this.slots.seed)
    this.clock = clock
  }

  fingerprintOf(policyId: string): Fingerprint {
    return this.seed.derive(`quota ${policyId}`)
  }

  /** The slot of a name, or -1; `used` then reads it. */
  find({ low, high }: SlotKey): number {
    return this.slots.find(low, high)
  }

  /** What is used of the slot that `find` found. */
  get used(): number {
    return toNumber(this.slots.found) - 1
  }

  /** Makes `used` what it says, unless the slot has changed since `find`. */
  change(slot: number, used: number, expirySeconds: number): boolean {
    this.slots.keepUntil(slot, expirySeconds)
    return this.slots.swap(slot, fromNumber(used + 1))
  }

  /** A slot for a name without one; -1 when another thread was faster, or there is no room. */
  open({ low, high, id }: SlotKey, used: number, expirySeconds: number): number {
    const { slots, longs } = this
    const slot = slots.claim(low, high, id, Math.floor(this.clock.monotonicMs() / 1000))
    this.tableFull = slot === -2
    if (slot < 0) return -1
    // What an earlier key left goes only while the slot is ours: a thread that was taken over while it slept must not
    // take away what has been counted since.
    const left = Atomics.load(longs, (slot + COLLECTABLE) >> 1)
    if (!slots.isClaimed(slot)) return -1
    if (left !== 0n) Atomics.compareExchange(longs, (slot + COLLECTABLE) >> 1, left, 0n)
    Atomics.store(slots.words, slot + NAMED, 0)
    Atomics.store(slots.words, slot + PACE, 0)
    slots.keepUntil(slot, expirySeconds)
    return slots.open(slot, fromNumber(used + 1)) ? slot : -1
  }

  addCollectable(slot: number, cost: number): void {
    Atomics.add(this.longs, (slot + COLLECTABLE) >> 1, fromNumber(cost))
  }

  /** What was counted since the last call. */
  collect(slot: number): number {
    return Number(Atomics.exchange(this.longs, (slot + COLLECTABLE) >> 1, 0n))
  }

  isNamed(slot: number): boolean {
    return Atomics.load(this.slots.words, slot + NAMED) === 1
  }

  setNamed(slot: number): void {
    Atomics.store(this.slots.words, slot + NAMED, 1)
  }

  /** `ageMs` is how old the counts of the others are. */
  setPace(slot: number, perSecond: number, ageMs: number): void {
    const { words } = this.slots
    Atomics.store(words, slot + PACED_AT, Math.floor(this.clock.monotonicMs() - ageMs) | 0)
    Atomics.store(words, slot + PACE, Math.max(0, Math.min(MAX_PACE, Math.round(perSecond))))
  }

  /**
   * What the other gateways will have counted since the last sum, if they go on as they did: without it, each would grant
   * for a second what all of them grant.
   */
  guess(slot: number): number {
    const { words } = this.slots
    const pace = Atomics.load(words, slot + PACE)
    if (pace === 0) return 0
    const sinceMs = ((Math.floor(this.clock.monotonicMs()) | 0) - Atomics.load(words, slot + PACED_AT)) | 0
    return sinceMs < 0 || sinceMs > MAX_GUESS_MS ? 0 : Math.floor((pace * sinceMs) / 1000)
  }

  /** Adds to what is used without counting it as ours; false when there is no room for the name. */
  adjust(key: SlotKey, change: number, periodEndMs: number): boolean {
    const expirySeconds = this.toExpirySeconds(periodEndMs - this.clock.now())
    for (;;) {
      const slot = this.find(key)
      const used = Math.max(0, (slot === -1 ? 0 : this.used) + change)
      if (slot !== -1 ? this.change(slot, used, expirySeconds) : this.open(key, used, expirySeconds) !== -1) return true
      if (slot === -1 && this.tableFull) return false
    }
  }

  /** When a slot may go whose period has so long to run. */
  toExpirySeconds(leftMs: number): number {
    return Math.ceil((this.clock.monotonicMs() + leftMs) / 1000) + GRACE_SECONDS
  }

  use(): SlotUse {
    return this.slots.use(Math.floor(this.clock.monotonicMs() / 1000))
  }
}

/** What tells one period of a key from the others, before the key itself. */
export function toPeriodText({ startMs, endMs }: CalendarPeriod): string {
  return `${startMs}/${endMs} `
}

interface QuotaParts {
  readonly policyId: string
  readonly limit: number
  readonly periodAt: (nowMs: number) => CalendarPeriod
  readonly countsBeyond: boolean
  readonly clock: Clock
  readonly announce: (name: QuotaName) => void
}

class CalendarQuota implements Limiter {
  remaining = 0
  resetMs = 0
  retryAfterMs = 0
  tableFull = false
  private readonly table: QuotaTable
  private readonly parts: QuotaParts
  private readonly fingerprint: Fingerprint
  private period: CalendarPeriod | undefined
  private periodText = ''

  constructor(table: QuotaTable, parts: QuotaParts) {
    this.table = table
    this.parts = parts
    this.fingerprint = table.fingerprintOf(parts.policyId)
  }

  take(callerKey: string, cost: number): boolean {
    const { table, fingerprint } = this
    const key = callerKey.length > MOST_KEY_CHARS ? `sha256 ${hash('sha256', callerKey)}` : callerKey
    const { limit, countsBeyond } = this.parts
    const period = this.enterPeriod()
    const expirySeconds = table.toExpirySeconds(this.resetMs)
    fingerprint.of(this.periodText + key)
    this.tableFull = false
    for (;;) {
      const found = table.find(fingerprint)
      const before = found === -1 ? 0 : table.used
      const guessed = found === -1 ? 0 : table.guess(found)
      const isGranted = before + guessed + cost <= limit || cost === 0
      const counts = cost > 0 && (isGranted || countsBeyond)
      const used = counts ? before + cost : before
      this.remaining = Math.max(0, limit - guessed - used)
      this.retryAfterMs = cost > limit ? Infinity : this.resetMs
      if (!counts) return isGranted
      const slot = this.write(found, used, expirySeconds)
      if (slot === -1 && this.tableFull) return false
      if (slot === -1) continue
      table.addCollectable(slot, cost)
      if (!table.isNamed(slot)) this.announce(key, period)
      return isGranted
    }
  }

  private enterPeriod(): CalendarPeriod {
    const nowMs = this.parts.clock.now()
    const period = this.parts.periodAt(nowMs)
    if (period !== this.period) this.periodText = toPeriodText(period)
    this.period = period
    this.resetMs = period.endMs - nowMs
    return period
  }

  /** The slot that now says `used`; -1 when it has to be looked for again, or there is no room. */
  private write(found: number, used: number, expirySeconds: number): number {
    const { table, fingerprint } = this
    if (found !== -1) return table.change(found, used, expirySeconds) ? found : -1
    const slot = table.open(fingerprint, used, expirySeconds)
    this.tableFull = table.tableFull
    if (this.tableFull) this.retryAfterMs = Infinity
    return slot
  }

  private announce(key: string, { startMs, endMs }: CalendarPeriod): void {
    this.parts.announce({ policy: this.parts.policyId, key, periodStartMs: startMs, periodEndMs: endMs })
  }
}
