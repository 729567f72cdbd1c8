/**
 * What the last message of a connection said in its fields. Whoever keeps a connection repeats himself: mostly it is the
 * target alone that differs from one request to the next, as HTTP/2's compression of fields takes for granted too
 * (RFC 7541 §1). A section with the same bytes says the same, so it is not parsed again.
 *
 * It never leaves its connection: shared by several, it would tell by its speed what others sent (RFC 7541 §7.1).
 */
import type { Fields } from '../../kernel/fields.ts'
import type { SectionFacts } from './parse-fields.ts'
import { CR } from './grammar.ts'
import { viewOf } from './read-buffer.ts'

/** Longer sections are parsed each time. */
const MAX_BYTES = 4_096
/** So many connections of a thread are remembered, the latest ones: some 4 KB each, 15 where a client wants much kept. */
const MAX_REMEMBERED = 1_024
/** Whose messages all differ is compared with once in so many, at last. */
const MAX_REST = 64

const remembered: LastSection[] = []
let oldest = 0

export class LastSection {
  private bytes: Buffer | undefined
  private view: DataView | undefined
  private length = 0
  /** Where the section begins that was found to be the same, or -1. */
  private foundAt = -1
  private fields: Fields | undefined
  private facts: SectionFacts | undefined
  /** Sections in a row that were others, and how many more are not looked at: the first may stay alone. */
  private misses = 0
  private rest = 1
  private isListed = false

  /** The end of a head that begins at `start`, when its fields are those of the last section; else -1. */
  findHeadEnd(bytes: Buffer, start: number, end: number): number {
    this.foundAt = -1
    if (this.facts === undefined || this.rest > 0) return -1
    const lastStart = end - this.length
    let at = start
    while (bytes[at] !== CR && at < lastStart) at++
    at += 2
    if (at > lastStart || !this.isSame(bytes, at)) return -1
    this.foundAt = at
    return at + this.length
  }

  /** Fills `fields` and returns the facts of the section that was found at `start`. */
  recall(start: number, maxFields: number, fields: Fields): SectionFacts | undefined {
    const { facts, foundAt } = this
    this.foundAt = -1
    // A reload may have lowered the limit since.
    if (foundAt !== start || facts === undefined || this.fields === undefined || facts.lines > maxFields)
      return undefined
    this.misses = 0
    fields.shareFrom(this.fields)
    return facts
  }

  /** Takes the bytes of a section that is about to be parsed; false when this one is not to be remembered. */
  note(bytes: Buffer, start: number, end: number): boolean {
    if (this.rest > 0) {
      this.rest--
      return false
    }
    if (++this.misses > 2) this.rest = Math.min(MAX_REST, 2 ** this.misses)
    this.facts = undefined
    this.foundAt = -1
    const length = end - start
    if (length > MAX_BYTES) return false
    this.length = bytes.copy(this.roomFor(length), 0, start, end)
    return true
  }

  /** What the noted bytes say. */
  learn(fields: Fields, facts: SectionFacts): void {
    this.fields = fields.remember()
    this.facts = facts
  }

  forget(): void {
    this.bytes = this.view = this.fields = this.facts = undefined
    this.isListed = false
  }

  /** All bytes are looked at, so that how long it takes says nothing about where the difference is. */
  private isSame(bytes: Buffer, start: number): boolean {
    const { length, view } = this
    if (view === undefined) return false
    const given = viewOf(bytes)
    let difference = 0
    let at = 0
    for (; at + 8 <= length; at += 8) {
      difference |= wordsDiffer(given, start + at, view, at) | wordsDiffer(given, start + at + 4, view, at + 4)
    }
    for (; at < length; at++) difference |= given.getUint8(start + at) ^ view.getUint8(at)
    return difference === 0
  }

  private roomFor(length: number): Buffer {
    if (!this.isListed) this.enlist()
    if (this.bytes !== undefined && this.bytes.length >= length) return this.bytes
    const room = Buffer.allocUnsafeSlow((length + 255) & ~255)
    this.bytes = room
    this.view = viewOf(room)
    return room
  }

  /** Takes the place of the section that was enlisted longest ago, which forgets what it has. */
  private enlist(): void {
    remembered[oldest]?.forget()
    remembered[oldest] = this
    oldest = (oldest + 1) % MAX_REMEMBERED
    this.isListed = true
  }
}

/** Not 0 when four bytes are others. */
function wordsDiffer(one: DataView, at: number, other: DataView, otherAt: number): number {
  return one.getInt32(at, true) ^ other.getInt32(otherAt, true)
}
