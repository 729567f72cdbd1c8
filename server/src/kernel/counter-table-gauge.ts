/**
 * How many exchanges of a key are in flight, over all threads. A slot has a count for each worker, and only their sum
 * means something: a worker counts in its own word, so that what a dead one left can be cleared without a guess.
 */
import type { Fingerprint } from './counter-table-fingerprint.ts'
import { SLOT_EXTRA, SlotTable } from './counter-table-slots.ts'
import type { Gauge } from './counters.ts'

/** Words of a slot before the workers' counts. */
const FIRST_COUNT = SLOT_EXTRA

/** Bytes of a slot with a count for each worker, a multiple of 8 as its 64-bit words need it. */
export function gaugeSlotBytes(workers: number): number {
  return 4 * (FIRST_COUNT + workers + (workers % 2))
}

export class GaugeTable {
  readonly slots: SlotTable
  private readonly workers: number

  constructor(memory: SharedArrayBuffer) {
    this.slots = new SlotTable(memory, (slot) => this.sum(slot) > 0)
    this.workers = this.slots.slotWords - FIRST_COUNT
  }

  sum(slot: number): number {
    let sum = 0
    for (let worker = 0; worker < this.workers; worker++)
      sum += Atomics.load(this.slots.words, slot + FIRST_COUNT + worker)
    return sum
  }

  add(slot: number, worker: number, change: 1 | -1): void {
    Atomics.add(this.slots.words, slot + FIRST_COUNT + worker, change)
  }

  isIn(slot: number, worker: number): boolean {
    return Atomics.load(this.slots.words, slot + FIRST_COUNT + worker) > 0
  }

  /** Forgets what a worker that is gone had in flight. */
  release(worker: number): void {
    for (const slot of this.slots) {
      if (this.isIn(slot, worker)) Atomics.store(this.slots.words, slot + FIRST_COUNT + worker, 0)
    }
  }
}

export class SharedGauge implements Gauge {
  tableFull = false
  private readonly table: GaugeTable
  private readonly fingerprint: Fingerprint
  private readonly limit: number
  private readonly worker: number
  private readonly nowSeconds: () => number

  constructor(table: GaugeTable, fingerprint: Fingerprint, limit: number, worker: number, nowSeconds: () => number) {
    this.table = table
    this.fingerprint = fingerprint
    this.limit = limit
    this.worker = worker
    this.nowSeconds = nowSeconds
  }

  /** Two threads that want the last place at the same instant may both be refused; never are both let in. */
  enter(key: string): boolean {
    const { table, fingerprint, worker } = this
    const { slots } = table
    fingerprint.of(key)
    const { low, high } = fingerprint
    this.tableFull = false
    for (;;) {
      const slot = slots.find(low, high)
      if (slot === -1) {
        const claimed = slots.claim(low, high, fingerprint.id, this.nowSeconds())
        this.tableFull = claimed === -2
        if (this.tableFull) return false
        if (claimed !== -1) slots.openUnique(claimed)
        continue
      }
      table.add(slot, worker, 1)
      // Whoever wants to take the slot away closes it and then reads the counts: one of us sees the other.
      const isOurs = slots.isUnchanged(slot, low, high)
      if (isOurs && table.sum(slot) <= this.limit) return true
      table.add(slot, worker, -1)
      if (isOurs) return false
    }
  }

  leave(key: string): void {
    const { table, fingerprint, worker } = this
    fingerprint.of(key)
    const slot = table.slots.findTag(fingerprint.low, fingerprint.high, (each) => table.isIn(each, worker))
    if (slot !== -1) table.add(slot, worker, -1)
  }
}
