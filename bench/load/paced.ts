/** Load at a fixed rate: starts the paced generator in a process of its own, with idle priority on the load core. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasCommand } from '../measure/process.ts'
import { loadCore } from '../subjects/subject.ts'
import type { Traffic, WorkRequest } from '../workload.ts'
import { connections } from './load.ts'
import { collect } from './wrk.ts'

export interface PacedPlan {
  port: number
  tls: boolean
  protocol: 'http1' | 'http2'
  rate: number
  seconds: number
  connections: number
  raw: string[]
  first: WorkRequest
  expectedStatus: number
  /** How long answers may take after the last request was issued. */
  graceMs: number
}

export interface PacedResult {
  issued: number
  completed: number
  /** Unexpected answers, broken connections and requests without an answer. */
  failed: number
  failure: string
  seconds: number
  p50Ms: number
  p99Ms: number
  maxMs: number
  /** The longest time for which the generator itself did not run. */
  ownStallMs: number
}

export interface PacedOptions {
  port: number
  tls: boolean
  protocol: 'http1' | 'http2'
  rate: number
  seconds: number
  directory: string
}

let plans = 0

export async function runPaced(traffic: Traffic, options: PacedOptions): Promise<PacedResult> {
  const { directory, ...rest } = options
  const { raw, first, expectedStatus } = traffic
  const plan: PacedPlan = { ...rest, raw, first, expectedStatus, connections, graceMs: 3_000 }
  const file = join(directory, `paced-${++plans}.json`)
  writeFileSync(file, JSON.stringify(plan))
  const idle = hasCommand('chrt') ? ['chrt', '--idle', '0'] : ['nice', '-n', '19']
  const client = join(import.meta.dirname, 'paced-client.ts')
  const output = await collect('taskset', ['-c', String(loadCore), ...idle, process.execPath, client, file])
  const line = output.split('\n').find((text) => text.startsWith('{'))
  if (line === undefined) throw new Error(`The paced generator did not finish:\n${output}`)
  // JSON has no infinity: no answer at all arrives as null.
  const result: PacedResult = JSON.parse(line, (_, value: unknown) => value ?? Number.POSITIVE_INFINITY)
  return result
}
