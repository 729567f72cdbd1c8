/** A scenario that compares gateways: the table of its figures, and bars on ratios of processor time and of latency. */
import type { Bench } from './bench.ts'
import { compare, cpuRatio, type Contender, type Measured } from './compare.ts'
import { keepsUp, latencyRatio, longestOwnStallMs } from './fixed-rate.ts'
import { median, type Interval } from './measure/statistics.ts'
import { formatNumber, megabytes, notMeasured, type Bar, type Section } from './section.ts'

export interface Comparison {
  title: string
  contenders: Contender[]
  /** The label that the column of ratios refers to. */
  reference: string
  /** Whether latency at 8,000 requests/s is measured too. */
  fixed: boolean
  bars: (measured: Measured[]) => Bar[]
  notes?: (measured: Measured[]) => string[]
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
      ...(comparison.fixed ? ['p50 ms at 8,000/s', 'p99 ms at 8,000/s', 'generator’s own stall ms'] : []),
      'RSS MB',
    ],
    rows: measured.map((one) => row(one, measured, comparison)),
    bars: comparison.bars(measured),
    notes: [...(comparison.notes?.(measured) ?? []), ...subjectNotes, ...measured.flatMap(complaints)],
  }
}

function row(one: Measured, all: Measured[], comparison: Comparison): string[] {
  const columns = comparison.fixed ? 9 : 6
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
  if (one.fixed.length === 0) return ['–', '–', '–']
  if (!keepsUp(one)) return [`only ${formatNumber(median(one.fixed.map(({ answered }) => answered)))}/s`, '–', '–']
  return (['p50Ms', 'p99Ms', 'ownStallMs'] as const).map((figure) => formatMilliseconds(fixedMedian(one, figure)))
}

function fixedMedian({ fixed }: Measured, figure: 'p50Ms' | 'p99Ms' | 'ownStallMs'): number {
  return median(fixed.map((slice) => slice[figure]))
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
  if (one.upstreamConnections > requests / 100 + 1_000) {
    found.push(
      `${one.label}: opened ${one.upstreamConnections} connections to the backend; it does not keep them alive.`,
    )
  }
  const { lines = 0, requests: asked = 0 } = one.recorded ?? {}
  // Requests under way when a slice ends are recorded but not counted: at most ten on each of 64 connections.
  if (lines < asked || lines > asked + 640) found.push(`${one.label}: wrote ${lines} log lines for ${asked} requests.`)
  if (one.stalledSlices > 0)
    found.push(
      `${one.label}: ${one.stalledSlices} slices at the fixed rate are left out, since the generator itself stalled in them for more than ${longestOwnStallMs} ms; ${one.fixed.length} count.`,
    )
  return found
}

/** `label` may cost at most `factor` times what `reference` costs. */
export function cpuBar(measured: Measured[], label: string, reference: string, factor: number): Bar {
  const ratio = cpuRatio(measured, label, reference)
  return {
    what: `CPU per request of ${label}`,
    wanted: `≤ ${factor} × ${reference}`,
    measured: ratio === undefined ? notMeasured : `${formatInterval(ratio)} ×`,
    passed: ratio !== undefined && ratio.median <= factor,
  }
}

/** With fewer pairs of slices there is no interval, and nothing has been shown. */
const fewestPairs = 6

/** p99 at the fixed rate may be at most `factor` times the reference's of the same round. */
export function latencyBar(measured: Measured[], label: string, reference: string, factor: number): Bar {
  const [above, below] = [label, reference].map((name) => measured.find((one) => one.label === name))
  const bar = { what: `p99 at 8,000/s of ${label}`, wanted: `≤ ${factor} × ${reference}`, passed: false }
  if (above === undefined || below === undefined) return { ...bar, measured: notMeasured }
  const late = [above, below].find((one) => !keepsUp(one))
  if (late !== undefined) return { ...bar, measured: `${late.label} does not keep up` }
  const ratio = latencyRatio(above, below)
  if (ratio.rounds < fewestPairs) return { ...bar, measured: `only ${ratio.rounds} valid pairs of slices` }
  const [mine, others] = [above, below].map((one) => formatMilliseconds(fixedMedian(one, 'p99Ms')))
  const said = `${formatInterval(ratio)} ×: ${mine} ms against ${others} ms`
  return { ...bar, measured: said, passed: ratio.median <= factor }
}

export function memoryBar(measured: Measured[], label: string, most: number): Bar {
  const bytes = measured.find((one) => one.label === label)?.residentBytes ?? Number.NaN
  return {
    what: `resident memory of ${label} afterwards`,
    wanted: `≤ ${most} MB`,
    measured: Number.isNaN(bytes) ? notMeasured : `${megabytes(bytes)} MB`,
    passed: bytes <= most * 1e6,
  }
}
