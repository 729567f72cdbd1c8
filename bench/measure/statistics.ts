/** Robust statistics for paired slices: medians, and an interval that assumes nothing about the noise. */

export interface Interval {
  median: number
  low: number
  high: number
}

/** The value below which `fraction` of the sorted values lie (nearest rank). */
export function percentile(sorted: ArrayLike<number>, fraction: number): number {
  const rank = Math.ceil(fraction * sorted.length) - 1
  return sorted[Math.min(Math.max(rank, 0), sorted.length - 1)] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/**
 * Median with its distribution-free 95 % interval: the k-th smallest to the k-th largest value, where the binomial
 * distribution with p = 1/2 says how large k may be. Below six values no such k exists and the full range is given.
 */
export function medianInterval(values: readonly number[]): Interval {
  const sorted = [...values].sort((a, b) => a - b)
  const k = intervalRank(sorted.length)
  return { median: median(sorted), low: sorted[k] ?? Number.NaN, high: sorted[sorted.length - 1 - k] ?? Number.NaN }
}

/** Largest k for which fewer than k of n fair coin tosses show heads with probability ≤ 2.5 %. */
function intervalRank(n: number): number {
  let tail = 0
  let term = 0.5 ** n
  for (let k = 0; k < n / 2; k++) {
    tail += term
    if (tail > 0.025) return Math.max(k - 1, 0)
    term = (term * (n - k)) / (k + 1)
  }
  return 0
}
