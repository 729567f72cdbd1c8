/**
 * Latency at the fixed rate. In every round each contender gets one slice of the paced generator, in an order that turns,
 * and ratios are taken within rounds, as for processor time. A slice in which the generator itself stalled says nothing
 * about the gateway, whoever it was: it is left out, and further rounds are run until enough of them are whole.
 */
import { truncateSync } from 'node:fs'
import type { Bench } from './bench.ts'
import type { Entrant, Measured } from './compare.ts'
import { startPaced, type PacedGenerator, type PacedResult } from './load/paced.ts'
import { median, medianInterval, type Interval } from './measure/statistics.ts'

/** What one contender's valid slice showed. */
export interface FixedSlice {
  round: number
  p50Ms: number
  p99Ms: number
  /** Requests answered per second. */
  answered: number
  /** The longest delay with which the generator itself issued a request. */
  ownStallMs: number
}

/** Before they count: the generator's code and the gateway's have to be compiled for this traffic. */
const warmUpSlices = 2
/**
 * Above this, the generator did not get its core. It is far above what a gateway can bring about: if all its connections
 * are answered at once, taking that in lasts two milliseconds.
 */
export const longestOwnStallMs = 5
/** Whoever is too slow for the rate has shown it by then; each of its slices takes several seconds. */
const triedSlices = 3
const triesInRound = 3
/** A machine on which more rounds than this are needed is too busy to tell. */
export const mostRoundsFactor = 3

export async function measureFixedRate(bench: Bench, entrants: Entrant[]): Promise<void> {
  const { pairs } = bench.options
  const generator = startPaced(bench.place.directory)
  try {
    for (let slice = 0; slice < warmUpSlices; slice++) {
      for (const entrant of entrants) await paceOnce(bench, generator, entrant)
    }
    let whole = 0
    for (let round = 0; whole < pairs && round < pairs * mostRoundsFactor; round++) {
      const paced = turned(entrants, round).filter(({ measured }) => round < triedSlices || keepsUp(measured))
      for (const entrant of paced) await pace(bench, generator, entrant, round)
      if (paced.every(({ measured }) => measured.fixed.at(-1)?.round === round)) whole++
    }
  } finally {
    generator.stop()
  }
}

export function turned<Item>(items: Item[], round: number): Item[] {
  const start = round % Math.max(items.length, 1)
  return [...items.slice(start), ...items.slice(0, start)]
}

/** A little is forgiven: the last answers arrive after the last request was due. */
export function keepsUp({ fixed }: Measured): boolean {
  return fixed.length === 0 || median(fixed.map(({ answered }) => answered)) >= 7_800
}

/** Ratio of two contenders' p99, taken in the rounds that are valid for both. */
export function latencyRatio(above: Measured, below: Measured): Interval & { rounds: number } {
  const ratios = above.fixed.flatMap(({ round, p99Ms }) => {
    const other = below.fixed.find((slice) => slice.round === round)
    return other === undefined ? [] : [p99Ms / other.p99Ms]
  })
  return { ...medianInterval(ratios), rounds: ratios.length }
}

/** One slice, made again while the generator itself stalls; when it goes on stalling, the round has none. */
async function pace(bench: Bench, generator: PacedGenerator, entrant: Entrant, round: number): Promise<void> {
  const { measured } = entrant
  for (let attempt = 0; attempt < triesInRound; attempt++) {
    const { ownStallMs, p50Ms, p99Ms, completed, seconds, failed, failure } = await paceOnce(bench, generator, entrant)
    const [p50, p99, stall] = [p50Ms, p99Ms, ownStallMs].map((ms) => ms.toFixed(3))
    const failures = failed > 0 ? `, ${failed} failed ${failure}` : ''
    bench.say(`  ${measured.label} at the fixed rate: p50 ${p50} ms, p99 ${p99} ms, own stall ${stall} ms${failures}`)
    if (ownStallMs <= longestOwnStallMs) {
      measured.fixed.push({ round, p50Ms, p99Ms, answered: completed / seconds, ownStallMs })
      return
    }
    measured.stalledSlices++
  }
}

function paceOnce(bench: Bench, generator: PacedGenerator, { contender, running }: Entrant): Promise<PacedResult> {
  const { inbound } = contender.job
  if (running.logFile !== undefined) truncateSync(running.logFile)
  return generator.run(contender.traffic, {
    port: running.port,
    tls: inbound === 'tls',
    protocol: inbound === 'http2' ? 'http2' : 'http1',
    rate: bench.options.fixedRate,
    seconds: bench.options.sliceSeconds,
  })
}
