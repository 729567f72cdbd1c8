/** A scenario that compares gateways: the table of its figures, and bars on ratios of processor time and of latency. */
import type { Bench } from './bench.ts'
import { compare, cpuRatio, type Contender, type Measured } from './compare.ts'
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
      ...(comparison.fixed ? ['p50 ms at 8,000/s', 'p99 ms at 8,000/s'] : []),
      'RSS MB',
    ],
    rows: measured.map((one) => row(one, measured, comparison)),
    bars: comparison.bars(measured),
    notes: [...(comparison.notes?.(measured) ?? []), ...subjectNotes, ...measured.flatMap(complaints)],
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
  if (!keepsUp(one)) return [`only ${formatNumber(median(one.fixedAnswered))}/s`, '–']
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
  if (one.upstreamConnections > requests / 100 + 1_000) {
    found.push(
      `${one.label}: opened ${one.upstreamConnections} connections to the backend; it does not keep them alive.`,
    )
  }
  const { lines = 0, requests: asked = 0 } = one.recorded ?? {}
  // Requests under way when a slice ends are recorded but not counted: at most ten on each of 64 connections.
  if (lines < asked || lines > asked + 640) found.push(`${one.label}: wrote ${lines} log lines for ${asked} requests.`)
  const paced = one.fixedP99Ms.length
  if (one.stalledSlices > 0)
    found.push(`${one.label}: the generator stalled in ${one.stalledSlices} of ${paced} slices at the fixed rate.`)
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

/** p99 at the fixed rate, as a ratio of medians. */
export function latencyBar(measured: Measured[], label: string, reference: string, factor: number): Bar {
  const above = measured.find((one) => one.label === label)
  const [mine, others] = [fixedP99(above), fixedP99(measured.find((one) => one.label === reference))]
  const ratio = mine / others
  return {
    what: `p99 at 8,000/s of ${label}`,
    wanted: `≤ ${factor} × ${reference}`,
    measured: Number.isNaN(ratio)
      ? notMeasured
      : `${mine.toFixed(3)} ms against ${others.toFixed(3)} ms: ${ratio.toFixed(2)} ×`,
    passed: ratio <= factor && above !== undefined && keepsUp(above) && isTrustworthy(above),
  }
}

/** Resident memory after everything that the scenario did to it. */
export function memoryBar(measured: Measured[], label: string, most: number): Bar {
  const bytes = measured.find((one) => one.label === label)?.residentBytes ?? Number.NaN
  return {
    what: `resident memory of ${label} afterwards`,
    wanted: `≤ ${most} MB`,
    measured: Number.isNaN(bytes) ? notMeasured : `${megabytes(bytes)} MB`,
    passed: bytes <= most * 1e6,
  }
}

function fixedP99(one: Measured | undefined): number {
  return median(one?.fixedP99Ms ?? [])
}

/** When the machine was too busy for the generator itself, nothing has been shown. */
function isTrustworthy(one: Measured): boolean {
  return one.stalledSlices * 2 < one.fixedP99Ms.length
}

/** A little is forgiven: the last answers arrive after the last request was due. */
function keepsUp(one: Measured): boolean {
  return median(one.fixedAnswered) >= 7_800
}
