/** Writes `bench/CONTROL.md`: a section for each store, and whatever else stands in it. */
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

export type Store = 'SQLite' | 'PostgreSQL'

const STORES: readonly Store[] = ['SQLite', 'PostgreSQL']

/** The file with the section of this store written anew; what other runs and commands measured stays. */
export function toReport(scale: Scale, store: Store, figures: readonly Figure[], file: string): string {
  const known = file.split(/\n(?=## )/).slice(1)
  const rows = figures.map(({ what, measured, bar = '', passed }) => [what, bar, measured, toVerdict(passed)])
  const own = `## On ${store}

Measured ${measuredState}.

${markdownTable(['what', 'bar', 'measured', 'verdict'], rows)}
`
  const ofStores = STORES.map((each) => (each === store ? own : known.find((section) => isOf(each, section))))
  const others = known.filter((section) => !STORES.some((each) => isOf(each, section)))
  return [toIntroduction(scale), ...ofStores, ...others].filter((section) => section !== undefined).join('\n')
}

function isOf(store: Store, section: string): boolean {
  return section.startsWith(`## On ${store}\n`)
}

function toIntroduction({ apis, routesPerApi, consumers }: Scale): string {
  const count = (value: number): string => value.toLocaleString('en')
  return `# The control plane at scale

Written by \`npm run bench:control\`: ${count(apis)} apis × ${routesPerApi} routes × ${count(consumers)} consumers, each with a key, a quarter of them with a subscription.
One control process, gateways with one worker each, the store, the bench and the backend all share the machine: ${cpus()[0]?.model ?? 'unknown'},
${cpus().length} cores, ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}. Headgate runs from its sources, whose types are stripped: some 20 MB more in each thread than
what the package ships. Memory is what is resident of a process and its children.
`
}

function toVerdict(passed: boolean | undefined): string {
  if (passed === undefined) return ''
  return passed ? 'pass' : '**FAIL**'
}
