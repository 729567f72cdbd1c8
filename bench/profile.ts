/**
 * Shows where Headgate spends its time in one scenario: with V8's profiler (functions of our sources), the kernel's (system
 * calls and native code too), or counted instructions (callgrind), which do not depend on what else the machine does.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GATEWAY_FLAGS } from '../server/src/bin/engine-flags.ts'
import type { Bench, Scenario } from './bench.ts'
import { load, prepareLoad, type Contender } from './compare.ts'
import { summarizeCpuProfile } from './cpu-profile.ts'
import type { LoadResult } from './load/load.ts'
import { collect } from './load/wrk.ts'
import { commandOutput, hasCommand } from './measure/process.ts'
import { plainHeadgate, startHeadgate, type HeadgateOptions, type RunningHeadgate } from './subjects/headgate.ts'
import { verifySubject } from './verify.ts'

const warmUpSeconds = 3
const measuredSeconds = 8

type LoadFor = (seconds: number) => Promise<LoadResult>

export async function runProfile(bench: Bench, scenario: Scenario): Promise<void> {
  const contender = scenario.profiled?.(bench)
  if (contender === undefined) throw new Error(`${scenario.name} has no traffic of its own to profile.`)
  const directory = join(import.meta.dirname, '.profiles', scenario.name)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const { tool } = bench.options
  if (tool === 'callgrind') return countInstructions(bench, contender, directory)
  if (tool === 'perf') return sampleWithPerf(bench, contender, directory)
  return sampleWithV8(bench, contender, directory)
}

/** One profile per thread is written when the process ends; the busiest thread is the worker. */
async function sampleWithV8(bench: Bench, contender: Contender, directory: string): Promise<void> {
  const nodeArguments = ['--cpu-prof', `--cpu-prof-dir=${directory}`, '--cpu-prof-interval=250']
  await withLoad(bench, contender, { nodeArguments }, async (_, loadFor) =>
    sayResult(bench, await loadFor(measuredSeconds)),
  )
  const files = readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'))
  const summaries = files.map((name) => summarizeCpuProfile(readFileSync(join(directory, name), 'utf8')))
  const [busiest] = summaries.sort((a, b) => b.busySeconds - a.busySeconds)
  bench.say(busiest?.text ?? `No profile was written into ${directory}.`)
  bench.say(`\nFor a browser's developer tools: ${directory}`)
}

/** Samples by the processor's clock, since virtual machines rarely have counters; V8 names its code for perf. */
async function sampleWithPerf(bench: Bench, contender: Contender, directory: string): Promise<void> {
  if (!hasCommand('perf')) throw new Error('perf is not installed: apt-get install linux-perf')
  const samples = join(directory, 'perf.data')
  let perfMap = ''
  const nodeArguments = ['--perf-basic-prof', '--interpreted-frames-native-stack']
  await withLoad(bench, contender, { nodeArguments }, async (running, loadFor) => {
    const record = ['record', '-q', '-e', 'cpu-clock', '-F', '1999', '-p', String(running.pid), '-o', samples]
    const recording = collect('perf', [...record, '--', 'sleep', String(measuredSeconds)])
    sayResult(bench, await loadFor(measuredSeconds))
    await recording
    perfMap = `/tmp/perf-${running.pid}.map`
  })
  const report = ['report', '-i', samples, '--stdio', '--no-children', '--percent-limit', '0.3']
  for (const columns of ['dso', 'dso,symbol']) {
    bench.say(tidy(commandOutput('perf', [...report, '-s', columns])))
  }
  rmSync(perfMap, { force: true })
}

/** perf pads its columns to the longest symbol, which in V8 can fill a page. */
function tidy(report: string): string {
  const lines = report.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  return lines
    .map((line) =>
      line
        .replace(/[\s-]+$/, '')
        .replaceAll(/ {3,}/g, '  ')
        .slice(0, 140),
    )
    .join('\n')
}

/** User-mode instructions of the whole process for each request (system calls are not counted), after enough requests for V8 to have compiled what is hot. */
async function countInstructions(bench: Bench, contender: Contender, directory: string): Promise<void> {
  if (!hasCommand('valgrind')) throw new Error('callgrind is not installed: apt-get install valgrind')
  const output = join(directory, 'callgrind.out')
  const wrapper = [
    'valgrind',
    '--tool=callgrind',
    '--smc-check=all-non-file',
    '--instr-atstart=no',
    `--callgrind-out-file=${output}`,
  ]
  // Valgrind would not follow a gateway that starts itself again with its flags.
  const nodeArguments = [...GATEWAY_FLAGS, '--perf-basic-prof', `--perf-basic-prof-path=${directory}`]
  await withLoad(bench, contender, { wrapper, nodeArguments }, async (running, loadFor) => {
    bench.say('warming up; under valgrind everything is some fifty times slower')
    await loadFor(40)
    commandOutput('callgrind_control', ['-i', 'on', String(running.pid)])
    await loadFor(5)
    commandOutput('callgrind_control', ['-z', String(running.pid)])
    const result = await loadFor(30)
    commandOutput('callgrind_control', ['-d', String(running.pid)])
    const dump = readdirSync(directory).find((name) => name.startsWith('callgrind.out.')) ?? ''
    const total = Number(/^(?:totals|summary): (\d+)/m.exec(readFileSync(join(directory, dump), 'utf8'))?.[1])
    bench.say(
      `${Math.round(total / result.completed).toLocaleString('en')} instructions/request over ${result.completed} requests`,
    )
    // Its supervisor takes a worker this slow for dead now and then; what a new one costs to start is not a request's.
    const events = readFileSync(join(dirname(running.configFile), 'stderr'), 'utf8')
    if (events.includes('does not answer'))
      bench.say('A worker was replaced meanwhile: run this again when the machine is quiet.')
    const annotated = commandOutput('callgrind_annotate', ['--threshold=80', join(directory, dump)])
    const code = readCompiledCode(readFileSync(join(directory, `perf-${running.pid}.map`), 'utf8'))
    bench.say(
      annotated.replaceAll(/\?\?\?:0x([0-9a-f]+)\S*/g, (text, address) => code(Number.parseInt(address, 16)) ?? text),
    )
  })
}

/** Names of the functions that V8 compiled, by address: lines of start, size and name, later ones replacing earlier ones. */
function readCompiledCode(map: string): (address: number) => string | undefined {
  const ranges = map.split('\n').map((line) => {
    const [start = '', size = '', ...name] = line.split(' ')
    return { start: Number.parseInt(start, 16), size: Number.parseInt(size, 16), name: name.join(' ') }
  })
  return (address) => ranges.findLast(({ start, size }) => address >= start && address < start + size)?.name
}

async function withLoad(
  bench: Bench,
  contender: Contender,
  changes: Partial<HeadgateOptions>,
  use: (running: RunningHeadgate, loadFor: LoadFor) => Promise<void>,
): Promise<void> {
  const running = await startHeadgate({ ...plainHeadgate, ...changes }, contender.job, bench.place)
  try {
    await verifySubject('headgate', contender.job, running, contender.traffic)
    const loaded = prepareLoad(bench, contender, running)
    const loadFor: LoadFor = (seconds) => load(bench, loaded, seconds)
    await loadFor(warmUpSeconds)
    await use(running, loadFor)
  } finally {
    await running.stop()
  }
}

function sayResult(bench: Bench, result: LoadResult): void {
  const micros = result.cpuNanoseconds / 1000 / result.completed
  bench.say(`${micros.toFixed(2)} µs/request with the profiler on, ${Math.round(result.completed / result.seconds)}/s`)
}
