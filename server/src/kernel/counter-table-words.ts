/** A 64-bit state as two halves or as a number, and back: several times faster than the arithmetic of big integers. */
const HALF = 2 ** 32
const long = new BigInt64Array(1)
const halves = new Int32Array(long.buffer)

/** Two 32-bit halves as one state. */
export function toState(low: number, high: number): bigint {
  halves[0] = low
  halves[1] = high
  return long[0] ?? 0n
}

/** The low half as an unsigned number. */
export function lowOf(state: bigint): number {
  long[0] = state
  return (halves[0] ?? 0) >>> 0
}

/** The high half as a signed number. */
export function highOf(state: bigint): number {
  long[0] = state
  return halves[1] ?? 0
}

/** A whole number from 0 to 2^53 as a state. */
export function fromNumber(value: number): bigint {
  const high = Math.floor(value / HALF)
  return toState(value - high * HALF, high)
}

/** The number of a state that `fromNumber` made. */
export function toNumber(state: bigint): number {
  return highOf(state) * HALF + lowOf(state)
}
