/** `npm run bench`: one command, one run, every gateway side by side. See `options.ts` for its flags. */
import { cpus } from 'node:os'
import { createBench, type Scenario } from './bench.ts'
import { foreignLoad, watchStolen } from './machine.ts'
import { commandOutput, hasCommand, killEverythingStarted } from './measure/process.ts'
import { parseOptions, usage, type Options } from './options.ts'
import { installPeers } from './peers.ts'
import { runProfile } from './profile.ts'
import { barTable, writeReport } from './report.ts'
import { scenarios } from './scenarios/index.ts'
import { formatSection, type Section } from './section.ts'
import { buildHeadgate } from './subjects/headgate.ts'
import { loadCore } from './subjects/subject.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) return print(usage)
  if (options.list) return print(scenarios.map(({ name }) => name).join('\n'))
  const chosen = chooseScenarios(options.profile === undefined ? options.only : [options.profile])
  prepareMachine(options)
  buildHeadgate()
  const foreign = await foreignLoad()
  if (foreign > 0.05)
    say(`Other programs use ${Math.round(foreign * 100)} % of this machine: expect noise, above all in latencies.`)
  const stolenShare = watchStolen()
  const bench = await createBench(options, say)
  try {
    if (options.profile !== undefined) {
      for (const scenario of chosen) await runProfile(bench, scenario)
      return 0
    }
    const sections: Section[] = []
    for (const scenario of chosen) {
      say(`${scenario.name}:`)
      const section = await scenario.run(bench)
      sections.push(section)
      say(`\n${formatSection(section)}\n`)
    }
    say(barTable(sections))
    if (options.write) say(`written: ${writeReport(sections, options, { foreign, stolen: stolenShare() })}`)
    // A missed bar is a figure to read, not a failure of the command.
    return 0
  } finally {
    await bench.close()
  }
}

function print(text: string): number {
  say(text)
  return 0
}

function chooseScenarios(names: string[]): readonly Scenario[] {
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown.length > 0)
    throw new Error(
      `No scenario is called ${unknown.join(', ')}. There are: ${scenarios.map(({ name }) => name).join(', ')}`,
    )
  return names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name))
}

/** The bench itself stays off the gateway's core, and with it everything that it starts there. */
function prepareMachine(options: Options): void {
  if (process.platform !== 'linux') throw new Error('The bench reads /proc and pins processes: it needs Linux.')
  if (cpus().length < 2) throw new Error('The bench needs two cores: one for the gateway and one for the load.')
  installPeers(options.subjects.length === 0 ? ['envoy', 'traefik', 'caddy'] : options.subjects, say)
  for (const command of ['nginx', 'wrk', 'h2load', 'taskset', 'openssl']) {
    if (!hasCommand(command)) throw new Error(`${command} is needed for the bench and is not installed.`)
  }
  commandOutput('taskset', ['-a', '-cp', String(loadCore), String(process.pid)])
}

process.once('exit', killEverythingStarted)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
