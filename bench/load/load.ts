/** What one slice of load measured, whichever tool made it. */
export interface LoadResult {
  completed: number
  seconds: number
  /** Answers with another status than expected, and connections that broke. */
  failed: number
  p50Ms: number
  p99Ms: number
  maxMs: number
  /** Processor time of the gateway between the first and the last request that count. */
  cpuNanoseconds: number
}

export interface Target {
  port: number
  tls: boolean
  /** Reads the gateway's processor time so far, in nanoseconds. */
  cpu: () => number
}

/** As many as browsers' worth of connections as keep one core busy without queues in the load generator. */
export const connections = 64
