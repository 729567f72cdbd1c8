/**
 * The main thread's side of quotas: it knows the names behind the slots, collects what the workers counted, and trades
 * with whoever adds gateways up. For each name, what is used is what this gateway counted in the whole period, and what
 * all others did as of the last exchange:
 *
 *     used = own + others + (what the workers counted since the last `collect`)
 *
 * What is told is `own`, a total that only grows: told twice, or once more after a restart, it counts once.
 */
import type { Clock } from './clock.ts'
import { QuotaTable, toPeriodText, type SlotKey } from './quota-table.ts'
import type { QuotaName, QuotaState, QuotaTotal } from './quotas.ts'

/** Slots are collected so long after their period, which is less than they are kept. */
const COLLECT_GRACE_MS = 5_000
/** Totals of a period that is over are offered so long, if ever somebody took some. */
const DELIVERY_MS = 3_600_000
/** Names that are known at once; beyond it counts still limit this gateway, but nobody hears of them. */
const MAX_NAMES = 2 ** 18
/** Sums come when something changed, so what they bring is no older. */
const MAX_SUM_AGE_MS = 2_000

interface Entry {
  readonly name: QuotaName
  readonly slotKey: SlotKey
  own: number
  others: number
  /** Monotonic milliseconds of the last sum in which the others had counted; negative before the first. */
  summedAtMs: number
}

export class QuotaLedger {
  /** Names that were not taken in because there were too many. */
  unknown = 0
  private readonly table: QuotaTable
  private readonly clock: Clock
  private readonly entries = new Map<string, Entry>()
  private readonly changed = new Set<Entry>()
  /** Whose totals nobody has taken yet, the longest waiting first. */
  private readonly untold = new Set<Entry>()
  /** The totals of the exchange that is under way. */
  private readonly offered = new Map<Entry, number>()
  private readonly maxNames: number
  private isTraded = false

  constructor(memory: SharedArrayBuffer, clock: Clock, maxNames = MAX_NAMES) {
    this.table = new QuotaTable(memory, clock)
    this.clock = clock
    this.maxNames = maxNames
  }

  /** Takes in the name of what a worker counts. */
  register(name: QuotaName): void {
    const entry = this.enter(name)
    if (entry === undefined) return
    const slot = this.table.find(entry.slotKey)
    if (slot !== -1) this.table.setNamed(slot)
  }

  /** Takes over what the workers counted since the last call; drops what is over. About once a second. */
  collect(): void {
    const nowMs = this.clock.now()
    for (const [text, entry] of this.entries) {
      const overMs = nowMs - entry.name.periodEndMs
      if (overMs <= COLLECT_GRACE_MS) this.collectFrom(entry)
      else if (!this.isTraded || !this.untold.has(entry) || overMs > DELIVERY_MS) this.drop(text, entry)
    }
  }

  /**
   * Totals that changed, the longest waiting first: at most so many, and so many characters of names. Every call is
   * followed by `delivered` or `undelivered` before the next one.
   */
  offerTotals(most: { readonly totals: number; readonly characters: number }): QuotaTotal[] {
    this.isTraded = true
    this.collect()
    const totals: QuotaTotal[] = []
    let characters = 0
    for (const entry of this.untold) {
      const { name, own } = entry
      characters += name.policy.length + name.key.length
      if (totals.length === most.totals || characters > most.characters) break
      this.offered.set(entry, own)
      totals.push({ ...name, own })
    }
    return totals
  }

  /** What was offered last has been taken. */
  delivered(): void {
    for (const [entry, own] of this.offered) {
      this.untold.delete(entry)
      if (entry.own !== own) this.untold.add(entry)
    }
    this.offered.clear()
  }

  /** What was offered last may not have been taken: it is offered again. */
  undelivered(): void {
    this.offered.clear()
  }

  /**
   * What all others counted, of every name that any of them counted since the last exchange, known here or not. `own` is
   * what is known of this gateway, which may have forgotten the last of it in a crash.
   */
  applySums(sums: readonly QuotaState[]): void {
    const nowMs = this.clock.now()
    for (const { own, others, ...name } of sums) if (name.periodEndMs > nowMs) this.applySum(name, own, others)
  }

  /** What changed since the last call, to be kept for `restore`. */
  takeChanges(): QuotaState[] {
    const states = [...this.changed].map(toState)
    this.changed.clear()
    return states
  }

  get size(): number {
    return this.entries.size
  }

  /** All that is known. */
  states(): QuotaState[] {
    return [...this.entries.values()].map(toState)
  }

  /** Goes on where another process ended; before any worker counts. Nobody knows what that had told, so all is offered. */
  restore(states: readonly QuotaState[]): void {
    const nowMs = this.clock.now()
    for (const { own, others, ...name } of states) {
      const entry = name.periodEndMs > nowMs ? this.enter(name) : undefined
      if (entry === undefined || !this.adjust(entry, own + others)) continue
      entry.own = own
      entry.others = others
      if (own > 0) this.tell(entry)
    }
  }

  private applySum(name: QuotaName, own: number, others: number): void {
    const entry = this.enter(name)
    if (entry === undefined) return
    const forgotten = Math.max(0, own - entry.own)
    const ofOthers = others - entry.others
    if (!this.adjust(entry, forgotten + ofOthers)) return
    if (ofOthers > 0) this.updatePace(entry, ofOthers)
    if (forgotten + ofOthers !== 0) this.changed.add(entry)
    entry.own += forgotten
    entry.others = others
  }

  /** The others speak at moments of their own, so on average their counts are half an exchange old. */
  private updatePace(entry: Entry, ofOthers: number): void {
    const nowMs = this.clock.monotonicMs()
    const sinceMs = Math.min(nowMs - entry.summedAtMs, MAX_SUM_AGE_MS)
    const slot = entry.summedAtMs < 0 || sinceMs <= 0 ? -1 : this.table.find(entry.slotKey)
    if (slot !== -1) this.table.setPace(slot, (ofOthers * 1000) / sinceMs, sinceMs / 2)
    entry.summedAtMs = nowMs
  }

  private enter(name: QuotaName): Entry | undefined {
    const text = toText(name)
    const known = this.entries.get(text)
    if (known !== undefined) return known
    if (this.entries.size >= this.maxNames) {
      this.unknown++
      return undefined
    }
    const entry: Entry = { name, slotKey: this.toSlotKey(name), own: 0, others: 0, summedAtMs: -1 }
    this.entries.set(text, entry)
    return entry
  }

  private drop(text: string, entry: Entry): void {
    this.entries.delete(text)
    this.changed.delete(entry)
    this.untold.delete(entry)
  }

  private collectFrom(entry: Entry): void {
    const slot = this.table.find(entry.slotKey)
    const count = slot === -1 ? 0 : this.table.collect(slot)
    if (count === 0) return
    entry.own += count
    this.changed.add(entry)
    this.tell(entry)
  }

  /** Keys that a store could not keep count here alone. */
  private tell(entry: Entry): void {
    const { key } = entry.name
    if (key.isWellFormed() && !key.includes('\0')) this.untold.add(entry)
  }

  /** Changes what the workers see as used. */
  private adjust({ name, slotKey }: Entry, change: number): boolean {
    if (change !== 0 && !this.table.adjust(slotKey, change, name.periodEndMs)) return false
    const slot = this.table.find(slotKey)
    if (slot !== -1) this.table.setNamed(slot)
    return true
  }

  private toSlotKey({ policy, key, periodStartMs, periodEndMs }: QuotaName): SlotKey {
    const fingerprint = this.table.fingerprintOf(policy)
    fingerprint.of(toPeriodText({ startMs: periodStartMs, endMs: periodEndMs }) + key)
    return { low: fingerprint.low, high: fingerprint.high, id: fingerprint.id }
  }
}

function toState({ name, own, others }: Entry): QuotaState {
  return { ...name, own, others }
}

function toText({ policy, key, periodStartMs, periodEndMs }: QuotaName): string {
  return JSON.stringify([policy, key, periodStartMs, periodEndMs])
}
