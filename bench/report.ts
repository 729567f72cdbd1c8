/** Writes `bench/RESULTS.md`: the bars first, then how it was measured, then every table. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { longestOwnStallMs, mostRoundsFactor } from './fixed-rate.ts'
import { machineFacts } from './machine.ts'
import { measuredState } from './measured-state.ts'
import type { Options } from './options.ts'
import { formatSection, markdownTable, verdict, type Section } from './section.ts'

/** Shares of all cores (0 to 1) that the bench did not have. */
export interface Shares {
  /** What other programs used before it began. */
  foreign: number
  /** What the hypervisor took while it ran. */
  stolen: number
}

const resultsFile = join(import.meta.dirname, 'RESULTS.md')
const outlookFile = join(import.meta.dirname, 'OUTLOOK.md')

export function writeReport(sections: Section[], options: Options, shares: Shares): string {
  const text = `${[
    '# Results of the bench',
    `Written by \`npm run bench\` ${measuredState}. All figures are from one run.`,
    '## Bars',
    barTable(sections),
    '## How it is measured',
    method(options),
    '## Machine',
    markdownTable(
      ['what', 'value'],
      [
        ...machineFacts(),
        ['used by other programs before the run', `${Math.round(shares.foreign * 100)} %`],
        ['taken by the hypervisor during the run', `${(shares.stolen * 100).toFixed(2)} %`],
      ],
    ),
    ...sections.map(formatSection),
    readFileSync(outlookFile, 'utf8').trim(),
  ].join('\n\n')}\n`
  writeFileSync(resultsFile, text)
  return resultsFile
}

export function barTable(sections: Section[]): string {
  const rows = sections.flatMap(({ title, bars }) =>
    bars.map((bar) => [`${title}: ${bar.what}`, bar.wanted, bar.measured, verdict(bar)]),
  )
  return markdownTable(['figure', 'bar', 'measured', 'verdict'], rows)
}

function method(options: Options): string {
  return `Headgate is what the package ships, built from this checkout. The gateway runs on core 0; load generator and backend (an nginx that answers 1,024 bytes of JSON) on core 1. Every
request carries ten header fields, about 700 bytes together. CPU per request is the processor time of all threads and child
processes of the gateway (\`/proc/PID/task/*/schedstat\`) divided by the requests completed. Every contender gets
${options.pairs} slices of ${options.sliceSeconds} s, in turn with the others and in an order that turns; ratios are medians over
the pairs of slices of one round, with the sign test's distribution-free 95 % interval. Before that, one checked request shows
that the subject does the work: status, body, forwarded path, request id and hidden key upstream, access log line.

- Saturation: wrk (plain HTTP/1.1; its percentiles are corrected for coordinated omission) or h2load (TLS, HTTP/2; handshakes are in
  its warm-up), 64 connections.
- Fixed rate: the paced generator issues ${options.fixedRate.toLocaleString('en')} requests/s evenly in an open loop over 64 connections.
  Latency counts from the moment when a request was due, also when it then had to wait for a connection or for the generator,
  so every stall is charged in full (no coordinated omission). Slices of ${options.sliceSeconds} s; the bar is on the ratio within rounds.
  Column “generator’s own stall” is the longest delay with which it issued a request in a slice. A slice in which that exceeds
  ${longestOwnStallMs} ms is left out, whoever was measured, and said under the table; rounds go on until ${options.pairs} are whole, ${options.pairs * mostRoundsFactor} at
  most. During a slice, gateways, backend and load have precedence over other sessions of the machine.
- Access logs are buffered for at most a second by every subject that can.`
}
