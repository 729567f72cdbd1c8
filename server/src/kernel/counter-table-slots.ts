/**
 * The hash table under the counters: slots in shared memory that all threads read and change without a lock, so that a
 * thread which is killed at any instruction leaves nothing held and nothing half written.
 *
 * A slot is a tag (the key's fingerprint), a state (one 64-bit word that means something to its limiter) and the second
 * until which it is in use. A key has two homes of eight slots each. Two rules make it exact:
 *
 * - **The state decides.** Counting is one compare-and-swap on the state, and so is taking a slot away: it first swaps
 *   the state that was seen to be expired for a unique negative number, which closes the slot. Whoever counted in
 *   between has changed the state, so one of the two fails and looks again.
 * - **One open slot for a key.** A slot is claimed closed. Its new owner then looks for others of the same key: an
 *   open one wins, a closed one is taken over and given back. Of two owners the later always sees the earlier.
 *
 * A closed slot whose owner died is free again after two seconds.
 *
 * A policy whose keys a client may choose must not leave others without slots. So a policy gets a further slot in a home
 * only while more of it are free than the policy has there already (dynamic thresholds: Choudhury and Hahne, 1998):
 * alone it can take half of the table, the next half of the rest. Who has none yet finds one, unless others have filled
 * both homes together.
 */
const HEADER_BYTES = 64
const HOME_SLOTS = 8
const CLAIM_SECONDS = 2
const MAX_TRIES = 64

/** Places in the header, in 32-bit words; the four counts from `CLAIMS` on are 64-bit words. */
const SEED = 0
const HOME_MASK = 2
const SLOT_BYTES = 3
const CLAIMS = 1 + HOME_MASK / 2
const EVICTIONS = CLAIMS + 1
const REFUSALS = CLAIMS + 2

/**
 * Within a slot, in 32-bit words: the tag's halves, the state (two words), the second of expiry, the policy that it was
 * last claimed for, what a kind adds.
 */
const TAG_LOW = 0
const TAG_HIGH = 1
const STATE = 2
const EXPIRY = 4
const POLICY = 5
export const SLOT_EXTRA = 6

/** A slot that was never used, or was given back. */
const UNUSED = 0n

export interface SlotUse {
  readonly slots: number
  readonly used: number
  /** Since the table was made: slots taken from expired keys, and keys for which there was no slot. */
  readonly evictions: number
  readonly refusals: number
}

/** Makes the memory of a table; zeroed pages, which the system only provides once they are touched. */
export function createSlotMemory(
  minSlots: number,
  slotBytes: number,
  seed: readonly [number, number],
): SharedArrayBuffer {
  const homes = 2 ** Math.ceil(Math.log2(Math.max(2, minSlots / HOME_SLOTS)))
  const memory = new SharedArrayBuffer(HEADER_BYTES + homes * HOME_SLOTS * slotBytes)
  new Int32Array(memory).set([seed[0], seed[1], homes - 1, slotBytes])
  return memory
}

export class SlotTable {
  readonly words: Int32Array
  readonly slotWords: number
  readonly seed: readonly [number, number]
  /** The state with which `find` found its slot. */
  found = UNUSED
  /** The tag that `choose` saw. */
  private foundTag = 0n
  /** The unique negative state with which `claim` closed its slot. */
  private claimed = UNUSED
  private readonly longs: BigInt64Array
  private readonly homeMask: number
  private readonly isHeld: (slot: number) => boolean

  /** `isHeld` tells whether a slot must stay with its key although its time is over. */
  constructor(memory: SharedArrayBuffer, isHeld: (slot: number) => boolean = () => false) {
    this.words = new Int32Array(memory)
    this.longs = new BigInt64Array(memory)
    this.seed = [this.words[SEED] ?? 0, this.words[SEED + 1] ?? 0]
    this.homeMask = this.words[HOME_MASK] ?? 0
    this.slotWords = (this.words[SLOT_BYTES] ?? 0) / 4
    this.isHeld = isHeld
  }

  /** The open slot of a key, or -1; its state is in `found`. A slot is the offset of its first 32-bit word. */
  find(low: number, high: number): number {
    const slot = this.findIn(this.firstHome(low), low, high)
    return slot === -1 ? this.findIn(this.secondHome(low, high), low, high) : slot
  }

  /** A slot of a key in whatever state, or -1. */
  findTag(low: number, high: number, accepts: (slot: number) => boolean): number {
    for (const home of [this.firstHome(low), this.secondHome(low, high)]) {
      for (let slot = home; slot < home + HOME_SLOTS * this.slotWords; slot += this.slotWords) {
        if (this.hasTag(slot, low, high) && accepts(slot)) return slot
      }
    }
    return -1
  }

  /** Counts: puts `next` in the place of `found`, unless the slot has changed since. */
  swap(slot: number, next: bigint): boolean {
    return Atomics.compareExchange(this.longs, (slot + STATE) >> 1, this.found, next) === this.found
  }

  /** Whether the slot still is what `find` found. */
  isUnchanged(slot: number, low: number, high: number): boolean {
    return Atomics.load(this.longs, (slot + STATE) >> 1) === this.found && this.hasTag(slot, low, high)
  }

  expiresAt(slot: number): number {
    return Atomics.load(this.words, slot + EXPIRY)
  }

  /** To be called before `swap` or `open`: a slot must never be in use and look expired. */
  keepUntil(slot: number, seconds: number): void {
    let seen = Atomics.load(this.words, slot + EXPIRY)
    while (seen < seconds) {
      const before = Atomics.compareExchange(this.words, slot + EXPIRY, seen, seconds)
      if (before === seen) return
      seen = before
    }
  }

  /**
   * A slot for a key that has none, closed and ours until `open`; -1 when the key has got one meanwhile (look again), -2
   * when both homes are full of keys in use, or the policy has its share of them.
   */
  claim(low: number, high: number, policy: number, nowSeconds: number): number {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const slot = this.choose(low, high, policy, nowSeconds)
      if (slot === -1) break
      if (!this.close(slot, nowSeconds)) continue
      const closed = this.claimed
      Atomics.store(this.words, slot + POLICY, policy)
      this.changeTag(slot, this.foundTag, toTag(low, high))
      const hasOther = this.hasOther(slot, low, high)
      this.claimed = closed
      if (!hasOther) return slot
      this.giveBack(slot, low, high)
      return -1
    }
    Atomics.add(this.longs, REFUSALS, 1n)
    return -2
  }

  /** Whether the slot that `claim` gave is still ours. */
  isClaimed(slot: number): boolean {
    return Atomics.load(this.longs, (slot + STATE) >> 1) === this.claimed
  }

  /** Opens the slot that `claim` gave; false when another thread took it over, which then has one for the key. */
  open(slot: number, state: bigint): boolean {
    return Atomics.compareExchange(this.longs, (slot + STATE) >> 1, this.claimed, state) === this.claimed
  }

  /** Opens it with a state that no slot ever had. */
  openUnique(slot: number): void {
    this.open(slot, -this.claimed)
  }

  use(nowSeconds: number): SlotUse {
    let used = 0
    const { words, slotWords } = this
    for (let slot = HEADER_BYTES / 4; slot < words.length; slot += slotWords) {
      if (words[slot] === 0 && words[slot + TAG_HIGH] === 0) continue
      if ((words[slot + EXPIRY] ?? 0) >= nowSeconds || this.isHeld(slot)) used++
    }
    const count = (at: number): number => Number(Atomics.load(this.longs, at))
    const slots = (this.homeMask + 1) * HOME_SLOTS
    return { slots, used, evictions: count(EVICTIONS), refusals: count(REFUSALS) }
  }

  /** All slots, for repairs. */
  *[Symbol.iterator](): Generator<number> {
    for (let slot = HEADER_BYTES / 4; slot < this.words.length; slot += this.slotWords) yield slot
  }

  private firstHome(low: number): number {
    return HEADER_BYTES / 4 + (low & this.homeMask) * HOME_SLOTS * this.slotWords
  }

  private secondHome(low: number, high: number): number {
    const first = low & this.homeMask
    const second = high & this.homeMask
    return HEADER_BYTES / 4 + (second === first ? first ^ 1 : second) * HOME_SLOTS * this.slotWords
  }

  private findIn(home: number, low: number, high: number): number {
    const { words, slotWords } = this
    for (let slot = home; slot < home + HOME_SLOTS * slotWords; slot += slotWords) {
      if (words[slot] !== low) continue
      // The state first: seen before the tag, it can only be swapped as long as the slot is this key's.
      this.found = Atomics.load(this.longs, (slot + STATE) >> 1)
      if (this.found > UNUSED && this.hasTag(slot, low, high)) return slot
    }
    return -1
  }

  private hasTag(slot: number, low: number, high: number): boolean {
    return Atomics.load(this.words, slot + TAG_LOW) === low && Atomics.load(this.words, slot + TAG_HIGH) === high
  }

  /** The slot to claim, of the home with more room for the policy; what it held is in `found`. -1 when there is none. */
  private choose(low: number, high: number, policy: number, nowSeconds: number): number {
    const first = this.countFree(this.firstHome(low), policy, nowSeconds)
    const second = this.countFree(this.secondHome(low, high), policy, nowSeconds)
    const { slot, state, room } = second.room > first.room ? second : first
    this.found = state
    return room > 0 ? slot : -1
  }

  /** By how many slots of a home more are free than the policy has, and the first free one with its state. */
  private countFree(home: number, policy: number, nowSeconds: number): { room: number; slot: number; state: bigint } {
    const found = { room: 0, slot: -1, state: UNUSED }
    for (let slot = home; slot < home + HOME_SLOTS * this.slotWords; slot += this.slotWords) {
      const state = Atomics.load(this.longs, (slot + STATE) >> 1)
      // The expiry after the state: a slot that came into use after this state cannot be closed with it.
      if (state !== UNUSED && (this.expiresAt(slot) >= nowSeconds || this.isHeld(slot))) {
        if (Atomics.load(this.words, slot + POLICY) === policy) found.room--
        continue
      }
      found.room++
      if (found.slot === -1) Object.assign(found, { slot, state })
    }
    return found
  }

  /** Closes the slot that `choose` found, unless it has come into use. */
  private close(slot: number, nowSeconds: number): boolean {
    const wasUsed = this.found !== UNUSED
    // A tag only changes while its slot is closed. Read before closing, it cannot be one that a later owner wrote.
    const tag = Atomics.load(this.longs, (slot + TAG_LOW) >> 1)
    if (!this.takeOver(slot)) return false
    if (this.isHeld(slot)) {
      this.openUnique(slot)
      return false
    }
    this.keepUntil(slot, nowSeconds + CLAIM_SECONDS)
    if (wasUsed) Atomics.add(this.longs, EVICTIONS, 1n)
    this.foundTag = tag
    return true
  }

  /** Puts a unique negative number in the place of the state in `found`. */
  private takeOver(slot: number): boolean {
    this.claimed = -1n - Atomics.add(this.longs, CLAIMS, 1n)
    return this.swap(slot, this.claimed)
  }

  /** Only from the tag that was seen: an owner who was taken over while it slept changes nothing any more. */
  private changeTag(slot: number, seen: bigint, next: bigint): void {
    Atomics.compareExchange(this.longs, (slot + TAG_LOW) >> 1, seen, next)
  }

  private giveBack(slot: number, low: number, high: number): void {
    this.changeTag(slot, toTag(low, high), 0n)
    this.open(slot, UNUSED)
  }

  /** Whether the key has an open slot besides `own`; takes over and gives back those that are still closed. */
  private hasOther(own: number, low: number, high: number): boolean {
    for (const home of [this.firstHome(low), this.secondHome(low, high)]) {
      for (let slot = home; slot < home + HOME_SLOTS * this.slotWords; slot += this.slotWords) {
        while (slot !== own && this.hasTag(slot, low, high)) {
          this.found = Atomics.load(this.longs, (slot + STATE) >> 1)
          if (this.found > UNUSED) return true
          if (this.found === UNUSED) break
          if (!this.takeOver(slot)) continue
          if (!this.isHeld(slot)) this.giveBack(slot, low, high)
          else this.openUnique(slot)
        }
      }
    }
    return false
  }
}

function toTag(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0)
}
