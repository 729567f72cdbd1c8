/** Time, so that tests can hold it. */
export interface Clock {
  /** Wall-clock milliseconds since 1970. */
  now(): number
  /** Milliseconds on a clock that never jumps, the same in all threads of the process. */
  monotonicMs(): number
}

/** `performance.now()` counts from the start of its thread, the cheaper call; this is where that start lies. */
const threadStartMs = Number(process.hrtime.bigint()) / 1e6 - performance.now()

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => threadStartMs + performance.now(),
}
