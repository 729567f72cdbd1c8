/** Load at a fixed rate: starts the paced generator in a process of its own on the load core, and gives it slices to run. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { givePrecedenceBack, takePrecedence } from '../measure/precedence.ts'
import { loadCore } from '../subjects/subject.ts'
import type { Traffic, WorkRequest } from '../workload.ts'
import { connections } from './load.ts'

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
  /** How long answers may take after the last request was due. */
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
  /** The longest delay with which the generator itself issued what was due. */
  ownStallMs: number
}

export interface PacedOptions {
  port: number
  tls: boolean
  protocol: 'http1' | 'http2'
  rate: number
  seconds: number
}

export interface PacedGenerator {
  run: (traffic: Traffic, options: PacedOptions) => Promise<PacedResult>
  stop: () => void
}

/** No background threads that would take the core away, and room for a whole slice's garbage. */
const nodeFlags = ['--single-threaded-gc', '--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']
/** It spins, so that it only takes what the backend on the same core leaves. */
const behindAllOthers = ['chrt', '--idle', '0']

let plans = 0

export function startPaced(directory: string): PacedGenerator {
  const client = join(import.meta.dirname, 'paced-client.ts')
  const args = ['-c', String(loadCore), ...behindAllOthers, process.execPath, ...nodeFlags, client]
  const child = spawn('taskset', args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
  return {
    run: (traffic, options) => runPlan(child, join(directory, `paced-${++plans}.json`), traffic, options),
    stop: () => void child.kill(),
  }
}

async function runPlan(
  child: ChildProcess,
  file: string,
  traffic: Traffic,
  options: PacedOptions,
): Promise<PacedResult> {
  const plan: PacedPlan = { ...options, ...traffic, connections, graceMs: 3_000 }
  writeFileSync(file, JSON.stringify(plan))
  takePrecedence()
  child.send(file)
  const heard = new AbortController()
  const [result]: unknown[] = await Promise.race([once(child, 'message', heard), once(child, 'exit', heard)])
  heard.abort()
  givePrecedenceBack()
  rmSync(file)
  if (typeof result !== 'object' || result === null) throw new Error('the paced generator ended without a result')
  // What `paced-client.ts` sends.
  return result as PacedResult
}

export async function runPaced(
  traffic: Traffic,
  { directory, ...options }: PacedOptions & { directory: string },
): Promise<PacedResult> {
  const generator = startPaced(directory)
  try {
    return await generator.run(traffic, options)
  } finally {
    generator.stop()
  }
}
