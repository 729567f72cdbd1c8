/** Time, so that tests can hold it. */
export interface Clock {
  /** Wall-clock milliseconds since 1970. */
  now(): number
  /** Milliseconds on a clock that never jumps. */
  monotonicMs(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
}
