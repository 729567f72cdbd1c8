/** Writes `bench/CONTROL.md`. */
import { cpus, release, totalmem } from 'node:os'
import { measuredState } from '../measured-state.ts'
import { markdownTable } from '../section.ts'
import type { Scale } from './installation.ts'

export interface Figure {
  readonly what: string
  readonly measured: string
  /** What was asked for; absent: nothing was. */
  readonly bar?: string
  readonly passed?: boolean
}

export function toReport({ apis, routesPerApi, consumers }: Scale, figures: readonly Figure[]): string {
  const count = (value: number): string => value.toLocaleString('en')
  const rows = figures.map(({ what, measured, bar = '', passed }) => [what, bar, measured, toVerdict(passed)])
  return `# The control plane at scale

Written by \`npm run bench:control\` ${measuredState()}: ${count(apis)} apis × ${routesPerApi} routes × ${count(consumers)} consumers, each with a key, a quarter of them with a subscription. One control process,
gateways with one worker each, the bench and the backend all share the machine: ${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores,
${Math.round(totalmem() / 1e9)} GB, Linux ${release()}. Memory is what is resident of a process and its children.

${markdownTable(['what', 'bar', 'measured', 'verdict'], rows)}
`
}

/** What stands below the report in the file and was measured by other commands. */
export function otherSections(file: string): string {
  const from = file.indexOf('\n## ')
  return from === -1 ? '' : file.slice(from)
}

function toVerdict(passed: boolean | undefined): string {
  if (passed === undefined) return ''
  return passed ? 'pass' : '**FAIL**'
}
