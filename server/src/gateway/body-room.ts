/**
 * How much of bodies the gateway of one thread holds in memory: those that a policy reads whole, and what comes over
 * HTTP/2 faster than it goes on. Each body has its own limit, but ten thousand clients at once would fill any memory
 * within those; so all of them share this room, and whoever finds it full is asked to come back.
 */
import type { Problem } from '../kernel/problem.ts'
import { bodyRoomFull } from './problems.ts'

const RETRY_AFTER = { 'retry-after': '1' }

export class BodyRoom {
  heldBytes = 0
  private readonly maxBytes: () => number

  /** The limit is asked for every time, since a reload may change it. */
  constructor(maxBytes: () => number) {
    this.maxBytes = maxBytes
  }

  /** Takes room for so many bytes; false, and nothing is taken, when there is not enough. */
  take(bytes: number): boolean {
    if (this.heldBytes + bytes > this.maxBytes()) return false
    this.heldBytes += bytes
    return true
  }

  give(bytes: number): void {
    this.heldBytes -= bytes
  }

  /** Whether so much could be held by nobody else holding anything: if not, coming back would not help. */
  couldHold(bytes: number): boolean {
    return bytes <= this.maxBytes()
  }

  refusal(): Problem {
    return bodyRoomFull({ headers: RETRY_AFTER })
  }
}

/** The part of the room that one exchange has; let go as a whole when the exchange is over. */
export class HeldRoom {
  bytes = 0
  private readonly room: BodyRoom
  private released = false

  constructor(room: BodyRoom) {
    this.room = room
  }

  /** False when there is no room, or the exchange is over and needs none. */
  take(bytes: number): boolean {
    if (this.released || !this.room.take(bytes)) return false
    this.bytes += bytes
    return true
  }

  couldHold(bytes: number): boolean {
    return this.room.couldHold(this.bytes + bytes)
  }

  refusal(): Problem {
    return this.room.refusal()
  }

  release(): void {
    this.released = true
    this.room.give(this.bytes)
    this.bytes = 0
  }
}
