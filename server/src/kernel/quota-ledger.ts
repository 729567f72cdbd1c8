/**
 * The main thread's side of quotas: it knows the names behind the slots, collects what the workers counted, and trades
 * with whoever adds gateways up. For each name, what is used is the sum as last told + what was counted here since:
 *
 *     used = settled + sent + unsent + (what the workers counted since the last `collect`)
 *
 * `takeIncrements` moves unsent to sent; `applySums` replaces settled and sent by the sum that contains both. Whoever
 * carries them has one exchange under way at a time, and returns what it could not deliver.
 */
import type { Clock } from './clock.ts'
import { QuotaTable, toPeriodText, type SlotKey } from './quota-table.ts'
import type { QuotaCount, QuotaName, QuotaState } from './quotas.ts'

/** Slots are collected so long after their period, which is less than they are kept. */
const COLLECT_GRACE_MS = 5_000
/** Counts of a period that is over are offered so long, if ever somebody took some. */
const DELIVERY_MS = 3_600_000
/** Names that are known at once; beyond it counts still limit this gateway, but nobody hears of them. */
const MAX_NAMES = 2 ** 18

interface Entry {
  readonly name: QuotaName
  readonly slotKey: SlotKey
  settled: number
  sent: number
  unsent: number
  /** Monotonic milliseconds of the last sum; negative before the first. */
  summedAtMs: number
}

export class QuotaLedger {
  /** Names that were not taken in because there were too many. */
  unknown = 0
  private readonly table: QuotaTable
  private readonly clock: Clock
  private readonly entries = new Map<string, Entry>()
  private readonly changed = new Set<Entry>()
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
      else if (!this.isTraded || entry.unsent + entry.sent === 0 || overMs > DELIVERY_MS) this.drop(text, entry)
    }
  }

  /** What was counted here since the last call, to be added to what all gateways counted. */
  takeIncrements(): QuotaCount[] {
    this.isTraded = true
    this.collect()
    const counts: QuotaCount[] = []
    for (const entry of this.entries.values()) {
      if (entry.unsent === 0) continue
      counts.push({ ...entry.name, count: entry.unsent })
      entry.sent += entry.unsent
      entry.unsent = 0
      this.changed.add(entry)
    }
    return counts
  }

  /** Increments that were taken and could not be delivered; the next call of `takeIncrements` gives them again. */
  returnIncrements(counts: readonly QuotaCount[]): void {
    for (const { count, ...name } of counts) {
      const entry = this.entries.get(toText(name))
      if (entry === undefined) continue
      const returned = Math.min(count, entry.sent)
      entry.sent -= returned
      entry.unsent += returned
      this.changed.add(entry)
    }
  }

  /**
   * What all gateways together have counted, the increments taken here included: of every name that any of them counted
   * since the last exchange, known here or not.
   */
  applySums(sums: readonly QuotaCount[]): void {
    const nowMs = this.clock.now()
    for (const { count, ...name } of sums) {
      if (name.periodEndMs <= nowMs) this.settle(name)
      else this.applySum(name, count)
    }
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

  /** Goes on where another process ended; before any worker counts. */
  restore(states: readonly QuotaState[]): void {
    const nowMs = this.clock.now()
    for (const { used, unsettled, ...name } of states) {
      const entry = name.periodEndMs > nowMs ? this.enter(name) : undefined
      if (entry === undefined || !this.adjust(entry, used)) continue
      entry.settled = used - unsettled
      entry.unsent = unsettled
    }
  }

  private applySum(name: QuotaName, count: number): void {
    const entry = this.enter(name)
    const ofOthers = count - (entry?.settled ?? 0) - (entry?.sent ?? 0)
    if (entry === undefined || !this.adjust(entry, ofOthers)) return
    this.updatePace(entry, ofOthers)
    entry.settled = count
    entry.sent = 0
    this.changed.add(entry)
  }

  /** The others speak at moments of their own, so on average their counts are half an exchange old. */
  private updatePace(entry: Entry, ofOthers: number): void {
    const nowMs = this.clock.monotonicMs()
    const sinceMs = nowMs - entry.summedAtMs
    const slot = entry.summedAtMs < 0 || sinceMs <= 0 ? -1 : this.table.find(entry.slotKey)
    if (slot !== -1) this.table.setPace(slot, (ofOthers * 1000) / sinceMs, sinceMs / 2)
    entry.summedAtMs = nowMs
  }

  /** The sum of a period that is over limits nothing: that it arrived is what counts. */
  private settle(name: QuotaName): void {
    const entry = this.entries.get(toText(name))
    if (entry !== undefined) entry.sent = 0
  }

  private enter(name: QuotaName): Entry | undefined {
    const text = toText(name)
    const known = this.entries.get(text)
    if (known !== undefined) return known
    if (this.entries.size >= this.maxNames) {
      this.unknown++
      return undefined
    }
    const entry: Entry = { name, slotKey: this.toSlotKey(name), settled: 0, sent: 0, unsent: 0, summedAtMs: -1 }
    this.entries.set(text, entry)
    return entry
  }

  private drop(text: string, entry: Entry): void {
    this.entries.delete(text)
    this.changed.delete(entry)
  }

  private collectFrom(entry: Entry): void {
    const slot = this.table.find(entry.slotKey)
    const count = slot === -1 ? 0 : this.table.collect(slot)
    if (count === 0) return
    entry.unsent += count
    this.changed.add(entry)
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

function toState({ name, settled, sent, unsent }: Entry): QuotaState {
  return { ...name, used: settled + sent + unsent, unsettled: sent + unsent }
}

function toText({ policy, key, periodStartMs, periodEndMs }: QuotaName): string {
  return JSON.stringify([policy, key, periodStartMs, periodEndMs])
}
