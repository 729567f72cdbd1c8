/** Time, so that tests can hold it. */
export interface Clock {
  /** Wall-clock milliseconds since 1970. */
  now(): number
  /** Milliseconds on a clock that never jumps, the same in all threads of the process. */
  monotonicMs(): number
}

/** Where this thread's `performance.now()`, the cheaper call, starts on the clock that all threads read by hrtime. */
const threadStartMs = Math.min(...Array.from({ length: 5 }, toThreadStartMs))

/** Too late by the time between its two readings, so of several the least is the truest. */
function toThreadStartMs(): number {
  const sinceStartMs = performance.now()
  return Number(process.hrtime.bigint()) / 1e6 - sinceStartMs
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => threadStartMs + performance.now(),
}
