/**
 * How long requests took, in a fixed number of buckets whose widths grow by a constant factor (as DDSketch does, Masson
 * et al., VLDB 2019). Sketches of threads, gateways and seconds add up to that of all; a quantile is off by at most 5 %.
 */

const ACCURACY = 0.05
const GROWTH = (1 + ACCURACY) / (1 - ACCURACY)
const LOG_GROWTH = Math.log(GROWTH)
const SHORTEST_MS = 0.05
/** The last one holds everything from about 15 minutes on. */
export const LATENCY_BUCKETS = 168

export class LatencySketch {
  count = 0
  private readonly buckets = new Float64Array(LATENCY_BUCKETS)

  add(durationMs: number): void {
    this.count++
    const bucket = bucketOf(durationMs)
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1
  }

  /** Adds what `pairs` holds; pairs that name no bucket are left out. */
  merge(pairs: readonly number[]): void {
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      const bucket = pairs[at] ?? -1
      const count = pairs[at + 1] ?? 0
      if (!Number.isInteger(bucket) || bucket < 0 || bucket >= LATENCY_BUCKETS) continue
      this.buckets[bucket] = (this.buckets[bucket] ?? 0) + count
      this.count += count
    }
  }

  /** Bucket, count, bucket, count …, without the empty ones. */
  toPairs(): number[] {
    const pairs: number[] = []
    for (const [bucket, count] of this.buckets.entries()) if (count > 0) pairs.push(bucket, count)
    return pairs
  }

  /** Milliseconds that a share (0 to 1) of the requests took at most; 0 when there were none. */
  quantile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.count))
    let seen = 0
    for (const [bucket, count] of this.buckets.entries()) {
      seen += count
      if (seen >= rank && this.count > 0) return middleOf(bucket)
    }
    return 0
  }

  /** How many took longer, to the accuracy of a bucket. */
  countAbove(durationMs: number): number {
    const limit = bucketOf(durationMs)
    let above = 0
    for (const [bucket, count] of this.buckets.entries()) if (bucket > limit) above += count
    return above
  }
}

function bucketOf(durationMs: number): number {
  if (!(durationMs > SHORTEST_MS)) return 0
  return Math.min(LATENCY_BUCKETS - 1, Math.ceil(Math.log(durationMs / SHORTEST_MS) / LOG_GROWTH))
}

/** The value that is off by no more than the accuracy from everything in the bucket. */
function middleOf(bucket: number): number {
  return (SHORTEST_MS * GROWTH ** bucket * 2) / (1 + GROWTH)
}
