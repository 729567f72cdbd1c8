/**
 * Whether a canary is worse than what it stands beside by more than its bounds allow. A few bad requests prove nothing:
 * a share counts by the lower end of its confidence interval (Wilson, JASA 1927, one-sided 99.5 %, for it
 * is judged again every second).
 */
import type { CountSum } from './deployment-counts.ts'
import type { CanaryBounds } from './release-plan.ts'

export interface Verdict {
  /** `open`: not enough requests yet. */
  readonly kind: 'good' | 'worse' | 'open'
  /** With the numbers. */
  readonly reason: string
}

/** Quantile 0.995 of the normal distribution. */
const Z = 2.576
/** Differences below this are the machine's, whatever their ratio. */
const NOISE_MS = 5

export function judgeCanary(bounds: CanaryBounds, fresh: CountSum, old: CountSum): Verdict {
  const { maxErrorRateDelta, maxP99Ratio, minRequests } = bounds
  const seen = `${fresh.requests} requests of the new revision and ${old.requests} of the old one`
  if (fresh.requests < minRequests || old.requests < minRequests) {
    return { kind: 'open', reason: `waits for ${minRequests} requests of each revision: ${seen} so far` }
  }
  const freshRate = fresh.errors / fresh.requests
  const oldRate = old.errors / old.requests
  if (lowerBound(fresh.errors, fresh.requests) > oldRate + maxErrorRateDelta) {
    const allowed = `${toPercent(maxErrorRateDelta)} more are allowed`
    const rates = `${toPercent(freshRate)} of the answers were errors, with the old revision ${toPercent(oldRate)}`
    return { kind: 'worse', reason: `${rates}; ${allowed} (${seen})` }
  }
  const oldP99 = old.latency.quantile(0.99)
  const limitMs = Math.max(oldP99 * maxP99Ratio, oldP99 + NOISE_MS)
  // The 99th percentile is above the limit when more than a hundredth of the requests took longer.
  if (lowerBound(fresh.latency.countAbove(limitMs), fresh.latency.count) > 0.01) {
    const both = `p99 was ${toMs(fresh.latency.quantile(0.99))}, with the old revision ${toMs(oldP99)}`
    return { kind: 'worse', reason: `${both}; ${maxP99Ratio} times as much is allowed (${seen})` }
  }
  return { kind: 'good', reason: `no worse than allowed after ${seen}` }
}

/** The share that is surpassed with 99.5 % certainty. */
function lowerBound(hits: number, count: number): number {
  if (count === 0) return 0
  const share = hits / count
  const spread = Z * Math.sqrt((share * (1 - share)) / count + Z ** 2 / (4 * count ** 2))
  return (share + Z ** 2 / (2 * count) - spread) / (1 + Z ** 2 / count)
}

function toPercent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`
}

function toMs(ms: number): string {
  return `${Number(ms.toPrecision(3))} ms`
}
