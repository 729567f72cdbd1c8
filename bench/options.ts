/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util'

export interface Options {
  /** Names of scenarios; empty: all. */
  only: string[]
  /** Names of subjects; empty: all. */
  subjects: string[]
  pairs: number
  sliceSeconds: number
  fixedRate: number
  write: boolean
  profile: string | undefined
  tool: 'cpu-prof' | 'perf' | 'callgrind'
}

export const usage = `npm run bench                            everything, writes bench/RESULTS.md (about half an hour)
npm run bench -- --only tls,http2        only these scenarios; prints, writes nothing
  --subjects headgate,nginx              only these gateways
  --pairs 8                              pairs of slices (default 20)
  --write                                writes bench/RESULTS.md all the same
  --list                                 names of the scenarios
npm run bench -- --profile NAME          where Headgate spends its time in that scenario
  --tool cpu-prof|perf|callgrind         with V8's profiler (default), the kernel's, or by counted instructions`

export function parseOptions(args: string[]): Options & { list: boolean; help: boolean } {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: '' },
      subjects: { type: 'string', default: '' },
      pairs: { type: 'string', default: '20' },
      write: { type: 'boolean', default: false },
      profile: { type: 'string' },
      tool: { type: 'string', default: 'cpu-prof' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const pairs = Number(values.pairs)
  if (!Number.isInteger(pairs) || pairs < 1)
    throw new Error('--pairs needs a whole number from 1 on, such as --pairs 20')
  const only = names(values.only)
  return {
    only,
    subjects: names(values.subjects),
    pairs,
    sliceSeconds: 1,
    fixedRate: 8_000,
    write: values.write || (only.length === 0 && values.subjects === '' && values.profile === undefined),
    profile: values.profile,
    tool: parseTool(values.tool),
    list: values.list,
    help: values.help,
  }
}

function names(list: string): string[] {
  return list.split(',').filter((name) => name !== '')
}

function parseTool(text: string): Options['tool'] {
  if (text === 'cpu-prof' || text === 'perf' || text === 'callgrind') return text
  throw new Error(`--tool ${text}: write cpu-prof, perf or callgrind`)
}
