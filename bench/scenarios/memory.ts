/** Resident memory of one worker after heavy load, and of each further one. */
import type { Bench } from '../bench.ts'
import { runWrk, writeWrkScript } from '../load/wrk.ts'
import { cpuNanoseconds, residentBytes } from '../measure/process.ts'
import { megabytes } from '../section.ts'
import { standardJob } from '../subjects/subject.ts'
import { acceptedTraffic } from './key-limit-record.ts'
import { headgateScenario, withHeadgate } from './headgate-only.ts'

const workerCounts = [1, 2, 3]
const loadSeconds = 15

export const memory = headgateScenario('memory', 'Memory of workers', async (bench) => {
  const resident: number[] = []
  for (const workers of workerCounts) {
    const bytes = await residentAfterLoad(bench, workers)
    bench.say(`  ${workers} worker(s): ${megabytes(bytes)} MB`)
    resident.push(bytes)
  }
  const [one = Number.NaN, , three = Number.NaN] = resident
  const further = (three - one) / 2
  return {
    header: ['workers', 'RSS MB after load'],
    rows: workerCounts.map((workers, index) => [String(workers), megabytes(resident[index] ?? Number.NaN)]),
    bars: [
      { what: 'process with one worker', wanted: '≤ 180 MB', measured: `${megabytes(one)} MB`, passed: one <= 180e6 },
      { what: 'each further worker', wanted: '≤ 60 MB', measured: `${megabytes(further)} MB`, passed: further <= 60e6 },
    ],
    notes: [`Each process had ${loadSeconds} s of saturating load with key, limit and record.`],
  }
})

function residentAfterLoad(bench: Bench, workers: number): Promise<number> {
  return withHeadgate(bench, standardJob, { workers }, async (running) => {
    const script = writeWrkScript(bench.place.directory, `memory-${workers}`, acceptedTraffic())
    const pids = running.pids()
    const cpu = (): number => cpuNanoseconds(pids)
    // Short runs, since clients that come and go leave more behind than the same 64 would.
    for (let second = 0; second < loadSeconds; second++) {
      await runWrk(script, { port: running.port, tls: false, cpu }, 1)
    }
    return residentBytes(running.pids())
  })
}
