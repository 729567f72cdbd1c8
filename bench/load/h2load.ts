/**
 * Saturation over TLS and HTTP/2 by h2load. Its warm-up phase keeps handshakes out of the measurement: processor time is read
 * when it says that the main phase begins and ends. Percentiles come from its log of every request.
 *
 * It is not used for the fixed rate: its `--rps` lets every connection wait for its own last answer (coordinated omission
 * over HTTP/1.1), and its 64 timers start together, so that requests come in bursts of 64. `paced.ts` does that.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { percentile } from '../measure/statistics.ts'
import { loadCore } from '../subjects/subject.ts'
import { host, type Traffic } from '../workload.ts'
import { connections, type LoadResult, type Target } from './load.ts'
import { collect } from './wrk.ts'

export interface H2loadOptions {
  protocol: 'http1' | 'http2'
  /** Requests in flight on each connection. */
  streams: number
  seconds: number
  directory: string
}

export async function runH2load(traffic: Traffic, target: Target, options: H2loadOptions): Promise<LoadResult> {
  const logFile = join(options.directory, 'h2load.tsv')
  rmSync(logFile, { force: true })
  let started = 0
  let ended = 0
  const limit = ['timeout', String(options.seconds + 30), 'stdbuf', '-oL']
  const output = await collect('env', [...limit, ...command(traffic, target, options, logFile)], (text) => {
    if (text.includes('Main benchmark duration is started')) started = target.cpu()
    if (text.includes('Main benchmark duration is over')) ended = target.cpu()
  })
  const counts = /requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded/.exec(output)
  if (counts === null || started === 0 || ended === 0) throw new Error(`h2load did not finish:\n${output}`)
  const latencies = readLatencies(logFile)
  return {
    completed: Number(counts[1]),
    seconds: options.seconds,
    failed: Number(counts[1]) - Number(counts[2]),
    p50Ms: percentile(latencies, 0.5) / 1000,
    p99Ms: percentile(latencies, 0.99) / 1000,
    maxMs: percentile(latencies, 1) / 1000,
    cpuNanoseconds: ended - started,
  }
}

function command(traffic: Traffic, target: Target, options: H2loadOptions, logFile: string): string[] {
  const headers = traffic.first.headers.flatMap(([name, value]) =>
    name === 'Host' ? [] : ['-H', `${name.toLowerCase()}: ${value}`],
  )
  const shape = ['-t1', `-c${connections}`, `-m${options.streams}`, `-D${options.seconds}`, '--warm-up-time=400ms']
  // Over HTTP/1.1 h2load writes a Host of its own; a second one would be refused.
  const authority = options.protocol === 'http1' ? [] : ['-H', `:authority: ${host}`]
  const url = `${target.tls ? 'https' : 'http'}://127.0.0.1:${target.port}${traffic.first.path}`
  const protocol = options.protocol === 'http1' ? ['--h1'] : []
  const pinned = ['taskset', '-c', String(loadCore), 'h2load']
  return [...pinned, ...shape, `--log-file=${logFile}`, ...protocol, ...headers, ...authority, url]
}

/** Third column of every line: microseconds until the end of the response. */
function readLatencies(logFile: string): Float64Array {
  const lines = readFileSync(logFile, 'latin1').trimEnd().split('\n')
  return Float64Array.from(lines, (line) => Number(line.slice(line.lastIndexOf('\t') + 1))).sort()
}
