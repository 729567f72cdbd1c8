/** A new file of 5,000 routes while 8,000 requests/s come in: when it is live, what the slowest request got, what failed. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { runPaced, type PacedResult } from '../load/paced.ts'
import type { RunningHeadgate } from '../subjects/headgate.ts'
import { standardJob, type Job } from '../subjects/subject.ts'
import { ask } from '../verify.ts'
import { apiKey, basePath, getRequest, spreadTraffic } from '../workload.ts'
import { headgateScenario, withHeadgate, type Figures } from './headgate-only.ts'

const job: Job = { ...standardJob, routes: 5_000, keys: 100 }
const loadSeconds = 14
const reloads = 2

export const reload = headgateScenario('reload', 'A new file of 5,000 routes under load', (bench) =>
  withHeadgate(bench, job, {}, (running) => measure(bench, running)),
)

async function measure(bench: Bench, running: RunningHeadgate): Promise<Figures> {
  const quiet = await load(bench, running, 4)
  const loading = load(bench, running, loadSeconds)
  const liveMs: number[] = []
  for (let number = 0; number < reloads; number++) {
    await sleep(2_500)
    liveMs.push(await reloadOnce(running, `new-${number}`))
    bench.say(`  live after ${Math.round(liveMs.at(-1) ?? 0)} ms`)
  }
  const busy = await loading
  const slowest = Math.max(...liveMs)
  return {
    header: ['load', 'requests', 'failed', 'p50 ms', 'p99 ms', 'slowest ms', 'generator’s own longest stall ms'],
    rows: [row('without a reload', quiet), row(`with ${reloads} reloads`, busy)],
    bars: [
      {
        what: 'a new file is live',
        wanted: '< 5 s after it is written',
        measured: liveMs.map((ms) => `${(ms / 1000).toFixed(2)} s`).join(', '),
        passed: slowest < 5_000,
      },
      {
        what: 'delay of the slowest request',
        wanted: '≤ 50 ms',
        measured: `${busy.maxMs.toFixed(1)} ms (without a reload ${quiet.maxMs.toFixed(1)} ms)`,
        passed: busy.maxMs <= 50,
      },
      {
        what: 'failed requests',
        wanted: '0 of ≥ 100,000',
        measured: `${busy.failed} of ${busy.issued.toLocaleString('en')} ${busy.failure}`.trim(),
        passed: busy.failed === 0 && busy.issued >= 100_000,
      },
    ],
    notes: [
      'The file is replaced by renaming; the threads that compile it share the one core with the one that serves.',
    ],
  }
}

function load(bench: Bench, running: RunningHeadgate, seconds: number): Promise<PacedResult> {
  return runPaced(spreadTraffic(job.routes, job.keys, 10_000), {
    port: running.port,
    tls: false,
    protocol: 'http1',
    rate: bench.options.fixedRate,
    seconds,
    directory: bench.place.directory,
  })
}

/** Adds one route to the file; milliseconds from the rename until a request finds it. */
async function reloadOnce(running: RunningHeadgate, name: string): Promise<number> {
  const configuration = JSON.parse(readFileSync(running.configFile, 'utf8'))
  configuration.apis[0].routes.push({ name, match: { methods: ['GET'], path: `/${name}` } })
  writeFileSync(`${running.configFile}.next`, JSON.stringify(configuration, null, 1))
  renameSync(`${running.configFile}.next`, running.configFile)
  const writtenAt = performance.now()
  const request = getRequest(`${basePath}/${name}`, ['X-Api-Key', apiKey(1)])
  for (;;) {
    const elapsedMs = performance.now() - writtenAt
    const { status } = await ask(job, running, request)
    if (status === 200 || elapsedMs > 30_000) return elapsedMs
    await sleep(20)
  }
}

function row(label: string, result: PacedResult): string[] {
  const times = [result.p50Ms, result.p99Ms, result.maxMs, result.ownStallMs].map((ms) => ms.toFixed(2))
  return [label, result.issued.toLocaleString('en'), String(result.failed), ...times]
}
