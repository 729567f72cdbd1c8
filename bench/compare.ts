/**
 * The comparison engine: all contenders run side by side, and in every round each of them gets one slice of load, in an
 * order that turns, so that a slow spell of the machine hits all of them alike. Ratios are taken within rounds.
 */
import { readFileSync, truncateSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './bench.ts'
import { measureFixedRate, turned, type FixedSlice } from './fixed-rate.ts'
import { runH2load } from './load/h2load.ts'
import type { LoadResult, Target } from './load/load.ts'
import { runWrk, writeWrkScript } from './load/wrk.ts'
import { cpuNanoseconds, residentBytes } from './measure/process.ts'
import { medianInterval, type Interval } from './measure/statistics.ts'
import type { Job, Running, Subject } from './subjects/subject.ts'
import type { Traffic } from './workload.ts'
import { verifySubject } from './verify.ts'

export interface Contender {
  label: string
  subject: Subject
  job: Job
  traffic: Traffic
  /** HTTP/2 requests in flight on each connection; 1 when absent. */
  streams?: number
}

export interface Measured {
  label: string
  /** Why it was not measured. Then all lists are empty. */
  missing?: string
  cpuMicros: number[]
  requestsPerSecond: number[]
  p50Ms: number[]
  p99Ms: number[]
  /** What the valid slices at the fixed rate showed. */
  fixed: FixedSlice[]
  /** Slices at the fixed rate that were left out, since the generator itself stalled in them. */
  stalledSlices: number
  residentBytes: number
  /** Requests with an unexpected answer or none. */
  failed: number
  upstreamConnections: number
  /** Access log lines and requests of one whole slice; absent when the job asks for no log. */
  recorded?: { lines: number; requests: number }
}

/** A contender that runs, with everything needed to put load on it. */
export interface Entrant {
  contender: Contender
  running: Running
  target: Target
  script: string
  measured: Measured
}

type Loaded = Omit<Entrant, 'measured'>

const warmUpSlices = 4

/** Measures all contenders in one go; `fixed` says whether latency at the fixed rate is wanted as well. */
export async function compare(bench: Bench, contenders: Contender[], fixed: boolean): Promise<Measured[]> {
  const entrants: Entrant[] = []
  const results: Measured[] = []
  try {
    for (const contender of contenders.filter(({ subject }) => bench.wants(subject))) {
      const entrant = await enter(bench, contender)
      results.push(entrant.measured)
      if ('running' in entrant) entrants.push(entrant)
    }
    for (const entrant of entrants) await warmUp(bench, entrant)
    for (let round = 0; round < bench.options.pairs; round++) {
      for (const entrant of turned(entrants, round)) await saturate(bench, entrant)
    }
    if (fixed) await measureFixedRate(bench, entrants)
    for (const { measured, running } of entrants) measured.residentBytes = residentBytes(running.pids())
    for (const entrant of entrants) await countLogLines(bench, entrant)
  } finally {
    for (const { running } of entrants) await running.stop()
  }
  return results
}

/** Ratio of two contenders' processor time per request, taken round by round. */
export function cpuRatio(measured: Measured[], label: string, reference: string): Interval | undefined {
  const above = measured.find((one) => one.label === label)?.cpuMicros ?? []
  const below = measured.find((one) => one.label === reference)?.cpuMicros ?? []
  const ratios = above.flatMap((micros, round) => {
    const other = below[round]
    return other === undefined ? [] : [micros / other]
  })
  return ratios.length === 0 ? undefined : medianInterval(ratios)
}

async function enter(bench: Bench, contender: Contender): Promise<Entrant | { measured: Measured }> {
  const measured = emptyMeasured(contender.label)
  const missing = contender.subject.missing()
  if (missing !== undefined) return { measured: { ...measured, missing } }
  let running: Running | undefined
  try {
    running = await contender.subject.start(contender.job, bench.place)
    await verifySubject(contender.subject.name, contender.job, running, contender.traffic)
  } catch (error) {
    await running?.stop()
    // One subject that does not do the job is a row of the table, not the end of the run.
    const reason = String(error).replaceAll(/\s+/g, ' ')
    bench.say(`  ${contender.label}: ${reason}`)
    return { measured: { ...measured, missing: `does not do the work: ${reason.slice(0, 200)}` } }
  }
  return { ...prepareLoad(bench, contender, running), measured }
}

export function prepareLoad(bench: Bench, contender: Contender, running: Running): Loaded {
  // Only now, after the checks, is it sure that every worker process has been started.
  const pids = running.pids()
  const target = { port: running.port, tls: contender.job.inbound === 'tls', cpu: () => cpuNanoseconds(pids) }
  const script = writeWrkScript(bench.place.directory, `load-${running.port}`, contender.traffic)
  return { contender, running, target, script }
}

function emptyMeasured(label: string): Measured {
  return {
    label,
    cpuMicros: [],
    requestsPerSecond: [],
    p50Ms: [],
    p99Ms: [],
    fixed: [],
    stalledSlices: 0,
    residentBytes: Number.NaN,
    failed: 0,
    upstreamConnections: 0,
  }
}

async function warmUp(bench: Bench, entrant: Entrant): Promise<void> {
  for (let slice = 0; slice < warmUpSlices; slice++) await load(bench, entrant)
}

async function saturate(bench: Bench, entrant: Entrant): Promise<void> {
  const { measured } = entrant
  const connectionsBefore = await bench.backend.acceptedConnections()
  const result = await load(bench, entrant)
  measured.upstreamConnections += (await bench.backend.acceptedConnections()) - connectionsBefore
  const cpuMicros = result.cpuNanoseconds / 1000 / result.completed
  measured.cpuMicros.push(cpuMicros)
  measured.requestsPerSecond.push(result.completed / result.seconds)
  measured.p50Ms.push(result.p50Ms)
  measured.p99Ms.push(result.p99Ms)
  measured.failed += result.failed
  bench.say(`  ${measured.label}: ${cpuMicros.toFixed(2)} µs, ${Math.round(result.completed / result.seconds)}/s`)
}

/** Was every request of a slice recorded? Buffers get two seconds to empty before and after it. */
async function countLogLines(bench: Bench, entrant: Entrant): Promise<void> {
  const { logFile } = entrant.running
  if (logFile === undefined) return
  await sleep(2_000)
  const result = await load(bench, entrant)
  await sleep(2_000)
  const lines = readFileSync(logFile).reduce((count, byte) => (byte === 10 ? count + 1 : count), 0)
  entrant.measured.recorded = { lines, requests: result.completed }
}

/** One slice of saturating load, by the generator that fits the protocol. */
export async function load(bench: Bench, entrant: Loaded, seconds = bench.options.sliceSeconds): Promise<LoadResult> {
  const { contender, target, script, running } = entrant
  if (running.logFile !== undefined) truncateSync(running.logFile)
  if (contender.job.inbound === 'http1') return runWrk(script, target, seconds)
  const protocol = contender.job.inbound === 'http2' ? 'http2' : 'http1'
  const { directory } = bench.place
  return runH2load(contender.traffic, target, { protocol, streams: contender.streams ?? 1, seconds, directory })
}
