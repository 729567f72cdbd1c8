/**
 * Memory for large pieces of bodies on their way through. Allocated for each piece, a fast stream would leave a hundred
 * megabytes to the garbage collector before it comes round.
 */
import { READ_BUFFER } from './read-buffer.ts'

/** Smaller ones would hold too much for what they are, where a reader is slow. */
const SMALLEST_BYTES = READ_BUFFER.length / 2
/** What is kept between pieces: 1 MiB. */
const MOST_SPARE = 16

const spares: Buffer[] = []

/** Room for a piece of a read, which is the taker's; undefined for a small one. */
export function takePieceMemory(bytes: number): Buffer | undefined {
  if (bytes < SMALLEST_BYTES || bytes > READ_BUFFER.length) return undefined
  return spares.pop() ?? Buffer.allocUnsafeSlow(READ_BUFFER.length)
}

/** To be called once, when nobody has a part of it any more; otherwise the garbage collector takes care of it. */
export function givePieceMemoryBack(memory: Buffer): void {
  if (spares.length < MOST_SPARE) spares.push(memory)
}
