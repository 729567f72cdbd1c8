/**
 * The hashes of a snapshot's lines under their keys, as a tree of two levels: lines into buckets, buckets into the root.
 * Equal roots mean equal content, and a change costs the hash of its lines and of their buckets.
 */
import { createHash, hash } from 'node:crypto'

export const BUCKETS = 256

export class SnapshotHashes {
  /** Of each key the SHA-256 of its line, 32 bytes as latin1. */
  private readonly buckets: Map<string, string>[] = Array.from({ length: BUCKETS }, () => new Map())
  /** SHA-256 in hex of each bucket; undefined after a change. */
  private readonly sums: (string | undefined)[] = Array.from({ length: BUCKETS }, () => undefined)

  get(key: string): string | undefined {
    return this.buckets[bucketOf(key)]?.get(key)
  }

  /** `lineHash` is what `hashLine` gives; undefined takes the key out. */
  set(key: string, lineHash: string | undefined): void {
    const index = bucketOf(key)
    if (lineHash === undefined) this.buckets[index]?.delete(key)
    else this.buckets[index]?.set(key, lineHash)
    this.sums[index] = undefined
  }

  /** The keys of a bucket, in no order. */
  keysOfBucket(index: number): string[] {
    return [...(this.buckets[index]?.keys() ?? [])]
  }

  *keys(): Generator<string> {
    for (const bucket of this.buckets) yield* bucket.keys()
  }

  /** SHA-256 in hex of every bucket: over its keys in order, each with the hash of its line. */
  bucketHashes(): string[] {
    return this.buckets.map((bucket, index) => (this.sums[index] ??= hashBucket(bucket)))
  }

  /** SHA-256 in hex over the hashes of the buckets: the version of the snapshot. */
  root(): string {
    return hash('sha256', this.bucketHashes().join('\n'))
  }
}

export function hashLine(line: string): string {
  return hash('sha256', line, 'latin1')
}

function bucketOf(key: string): number {
  return hash('sha256', key, 'latin1').charCodeAt(0)
}

function hashBucket(bucket: ReadonlyMap<string, string>): string {
  const sum = createHash('sha256')
  for (const key of [...bucket.keys()].sort()) {
    sum.update(`${JSON.stringify(key)} `)
    sum.update(bucket.get(key) ?? '', 'latin1')
  }
  return sum.digest('hex')
}
