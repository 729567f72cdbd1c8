/** A scenario that compares gateways: the table of its figures, and bars on ratios of processor time and of latency. */
import type { Bench } from './bench.ts'
import { compare, cpuRatio, type Contender, type Measured } from './compare.ts'
import { median, type Interval } from './measure/statistics.ts'
import { formatNumber, megabytes, type Bar, type Section } from './section.ts'

export interface Comparison {
  title: string
  contenders: Contender[]
  /** The label that the column of ratios refers to. */
  reference: string
  /** Whether latency at 8,000 requests/s is measured too. */
  fixed: boolean
  bars: (measured: Measured[]) => (Bar | undefined)[]
  notes?: string[]
}

export async function runComparison(bench: Bench, comparison: Comparison): Promise<Section> {
  const measured = await compare(bench, comparison.contenders, comparison.fixed)
  const subjectNotes = new Set(
    comparison.contenders.flatMap(({ subject }) =>
      subject.note === undefined || !bench.wants(subject) ? [] : [subject.note],
    ),
  )
  return {
    title: comparison.title,
    header: [
      'gateway',
      'CPU µs/request',
      `× ${comparison.reference} (95 %)`,
      'requests/s',
      'p50 ms',
      'p99 ms',
      ...(comparison.fixed ? ['p50 ms at 8,000/s', 'p99 ms at 8,000/s'] : []),
      'RSS MB',
    ],
    rows: measured.map((one) => row(one, measured, comparison)),
    bars: comparison.bars(measured).flatMap((bar) => (bar === undefined ? [] : [bar])),
    notes: [...(comparison.notes ?? []), ...subjectNotes, ...measured.flatMap(complaints)],
  }
}

function row(one: Measured, all: Measured[], comparison: Comparison): string[] {
  const columns = comparison.fixed ? 8 : 6
  if (one.missing !== undefined) return [one.label, one.missing, ...Array.from({ length: columns - 1 }, () => ''), '']
  const ratio = cpuRatio(all, one.label, comparison.reference)
  return [
    one.label,
    formatNumber(median(one.cpuMicros)),
    ratio === undefined ? '–' : formatInterval(ratio),
    formatNumber(median(one.requestsPerSecond)),
    formatNumber(median(one.p50Ms)),
    formatNumber(median(one.p99Ms)),
    ...(comparison.fixed ? fixedCells(one) : []),
    megabytes(one.residentBytes),
  ]
}

/** A gateway that cannot keep up has no latency at that rate, only a growing queue. */
function fixedCells(one: Measured): string[] {
  const answered = median(one.fixedAnswered)
  if (answered < 7_800) return [`only ${formatNumber(answered)}/s`, '–']
  return [formatMilliseconds(median(one.fixedP50Ms)), formatMilliseconds(median(one.fixedP99Ms))]
}

function formatMilliseconds(value: number): string {
  return value.toFixed(3)
}

export function formatInterval(interval: Interval): string {
  return `${interval.median.toFixed(3)} (${interval.low.toFixed(3)}–${interval.high.toFixed(3)})`
}

/** What would make a row worthless is said under the table. */
function complaints(one: Measured): string[] {
  const requests = one.requestsPerSecond.reduce((sum, rate) => sum + rate, 0)
  const found: string[] = []
  if (one.failed > requests / 10_000) found.push(`${one.label}: ${one.failed} requests were not answered as expected.`)
  if (one.upstreamConnections > requests / 100 + 100) {
    found.push(
      `${one.label}: opened ${one.upstreamConnections} connections to the backend; it does not keep them alive.`,
    )
  }
  const lines = one.linesPerRequest
  if (lines !== undefined && Math.abs(lines - 1) > 0.01)
    found.push(`${one.label}: wrote ${lines.toFixed(3)} log lines a request.`)
  return found
}

/** `label` may cost at most `factor` times what `reference` costs. */
export function cpuBar(measured: Measured[], label: string, reference: string, factor: number): Bar | undefined {
  const ratio = cpuRatio(measured, label, reference)
  if (ratio === undefined) return undefined
  return {
    what: `CPU per request of ${label}`,
    wanted: `≤ ${factor} × ${reference}`,
    measured: `${formatInterval(ratio)} ×`,
    passed: ratio.median <= factor,
  }
}

/** p99 at the fixed rate, as a ratio of medians. */
export function latencyBar(measured: Measured[], label: string, reference: string, factor: number): Bar | undefined {
  const above = measured.find((one) => one.label === label)
  const below = measured.find((one) => one.label === reference)
  if (above === undefined || below === undefined || above.fixedP99Ms.length === 0 || below.fixedP99Ms.length === 0)
    return undefined
  const [mine, others] = [median(above.fixedP99Ms), median(below.fixedP99Ms)]
  return {
    what: `p99 at 8,000/s of ${label}`,
    wanted: `≤ ${factor} × ${reference}`,
    measured: `${mine.toFixed(3)} ms against ${others.toFixed(3)} ms: ${(mine / others).toFixed(2)} ×`,
    passed: mine <= factor * others && median(above.fixedAnswered) >= 7_800,
  }
}
