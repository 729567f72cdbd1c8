/**
 * New files of 5,000 routes while 8,000 requests/s come in: when each is live, what the slowest request got, what failed.
 * Every reload has a stretch of the same load without one before it, which shows what the machine alone does.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { longestOwnStallMs } from '../fixed-rate.ts'
import { startPaced, type PacedResult } from '../load/paced.ts'
import { median } from '../measure/statistics.ts'
import type { RunningHeadgate } from '../subjects/headgate.ts'
import { standardJob, type Job } from '../subjects/subject.ts'
import { ask } from '../verify.ts'
import { apiKey, basePath, getRequest, spreadTraffic } from '../workload.ts'
import { headgateScenario, withHeadgate, type Figures } from './headgate-only.ts'

const job: Job = { ...standardJob, routes: 5_000, keys: 100 }
const reloads = 6
const warmUpSlices = 4
const quietSeconds = 4
/** Longer than a file may take to be live, so that what follows the swap is seen too. */
const reloadSeconds = 6
/** Of pairs in which the generator itself did not get its core. */
const maxRepeats = 2

/** A stretch of load without a reload, and one with. */
interface Pair {
  quiet: PacedResult
  busy: PacedResult
  liveMs: number
}

type Load = (seconds: number) => Promise<PacedResult>

export const reload = headgateScenario('reload', 'New files of 5,000 routes under load', (bench) =>
  withHeadgate(bench, job, {}, (running) => measure(bench, running)),
)

async function measure(bench: Bench, running: RunningHeadgate): Promise<Figures> {
  const generator = startPaced(bench.place.directory)
  const traffic = spreadTraffic(job.routes, job.keys, 10_000)
  const { fixedRate: rate } = bench.options
  const load: Load = (seconds) =>
    generator.run(traffic, { port: running.port, tls: false, protocol: 'http1', rate, seconds })
  try {
    for (let slice = 0; slice < warmUpSlices; slice++) await load(1)
    const pairs: Pair[] = []
    const repeated: Pair[] = []
    while (pairs.length < reloads) {
      const pair = await measurePair(load, running, `new-${pairs.length + repeated.length}`)
      const [quietMs, busyMs] = [pair.quiet.maxMs, pair.busy.maxMs].map((ms) => ms.toFixed(1))
      const stallMs = ownStallMs(pair).toFixed(1)
      bench.say(
        `  live after ${Math.round(pair.liveMs)} ms, slowest ${busyMs} ms, without ${quietMs} ms, own stall ${stallMs} ms`,
      )
      if (hasStalled(pair) && repeated.length < maxRepeats * reloads) repeated.push(pair)
      else pairs.push(pair)
    }
    return toFigures(pairs, repeated)
  } finally {
    generator.stop()
  }
}

function ownStallMs({ quiet, busy }: Pair): number {
  return Math.max(quiet.ownStallMs, busy.ownStallMs)
}

function hasStalled(pair: Pair): boolean {
  return ownStallMs(pair) > longestOwnStallMs
}

async function measurePair(load: Load, running: RunningHeadgate, name: string): Promise<Pair> {
  const next = writeNextFile(running, name)
  const quiet = await load(quietSeconds)
  keepNode()
  const loading = load(reloadSeconds)
  await sleep(1_000)
  const liveMs = await reloadOnce(running, next, name)
  return { quiet, busy: await loading, liveMs }
}

/**
 * The process that compiles runs the Node that serves already. Some systems take pages away that were not used for seconds,
 * and how fast a disk brings them back is not what is measured.
 */
function keepNode(): void {
  readFileSync(process.execPath)
}

/** The present configuration and one more route, beside the file that is to be replaced. */
function writeNextFile(running: RunningHeadgate, name: string): string {
  const configuration = JSON.parse(readFileSync(running.configFile, 'utf8'))
  configuration.apis[0].routes.push({ name, match: { methods: ['GET'], path: `/${name}` } })
  const next = `${running.configFile}.next`
  writeFileSync(next, JSON.stringify(configuration, null, 1))
  return next
}

/**
 * Milliseconds from the beginning of the rename until a request finds the new route. The rename itself may take seconds,
 * since some disks are slow to free what stood there before; the new file is to be seen all the while.
 */
async function reloadOnce(running: RunningHeadgate, next: string, name: string): Promise<number> {
  const writtenAt = performance.now()
  const renamed = rename(next, running.configFile)
  const request = getRequest(`${basePath}/${name}`, ['X-Api-Key', apiKey(1)])
  for (;;) {
    const elapsedMs = performance.now() - writtenAt
    const { status } = await ask(job, running, request)
    if (status === 200 || elapsedMs > 30_000) {
      await renamed
      return elapsedMs
    }
    await sleep(50)
  }
}

function toFigures(pairs: Pair[], repeated: Pair[]): Figures {
  const quiet = pairs.map((pair) => pair.quiet)
  const busy = pairs.map((pair) => pair.busy)
  const live = pairs.map(({ liveMs }) => liveMs)
  const [slowest, slowestQuiet] = [busy, quiet].map((slices) => Math.max(...slices.map(({ maxMs }) => maxMs)))
  const all = [...quiet, ...busy]
  const issued = sum(all.map((one) => one.issued))
  const failed = sum(all.map((one) => one.failed))
  const toSeconds = (list: Pair[]): string => list.map(({ liveMs }) => `${(liveMs / 1000).toFixed(2)} s`).join(', ')
  return {
    header: ['load', 'requests', 'failed', 'p50 ms', 'p99 ms', 'slowest ms', 'generator’s own longest stall ms'],
    rows: [row('without a reload', quiet), row(`with ${pairs.length} reloads`, busy)],
    bars: [
      {
        what: 'a new file is live',
        wanted: '< 5 s after it is written',
        measured: toSeconds(pairs),
        passed: Math.max(...live) < 5_000,
      },
      {
        what: `delay of the slowest request in ${pairs.length} reloads`,
        wanted: '≤ 50 ms',
        measured: `${slowest?.toFixed(1)} ms (without a reload ${slowestQuiet?.toFixed(1)} ms)`,
        passed: slowest !== undefined && slowest <= 50,
      },
      {
        what: 'failed requests',
        wanted: '0 of ≥ 100,000',
        measured:
          `${failed} of ${issued.toLocaleString('en')} ${all.find((one) => one.failed > 0)?.failure ?? ''}`.trim(),
        passed: failed === 0 && issued >= 100_000,
      },
    ],
    notes: [
      `Slowest request of each reload: ${list(busy)}; of each ${quietSeconds} s before, without one: ${list(quiet)}.`,
      repeated.length === 0
        ? 'No pair was repeated.'
        : `${repeated.length} pairs were repeated because the generator itself stalled for more than ${longestOwnStallMs} ms; their files were live after ${toSeconds(repeated)}. ${pairs.filter(hasStalled).length} of those that count have such a stall.`,
      'The file is replaced by renaming; the process that compiles it shares the one core with the thread that serves. Node’s binary is read in some 1 s before each, as it is where the system takes no pages away that were idle for seconds.',
    ],
  }
}

function row(label: string, slices: PacedResult[]): string[] {
  const times = [
    median(slices.map(({ p50Ms }) => p50Ms)),
    median(slices.map(({ p99Ms }) => p99Ms)),
    Math.max(...slices.map(({ maxMs }) => maxMs)),
    Math.max(...slices.map(({ ownStallMs }) => ownStallMs)),
  ].map((ms) => ms.toFixed(2))
  const issued = sum(slices.map((one) => one.issued))
  return [label, issued.toLocaleString('en'), String(sum(slices.map((one) => one.failed))), ...times]
}

function list(slices: PacedResult[]): string {
  return `${slices.map(({ maxMs }) => maxMs.toFixed(1)).join(', ')} ms`
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
