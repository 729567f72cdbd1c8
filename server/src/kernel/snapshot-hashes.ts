/**
 * The hashes of a snapshot's lines under their keys, as a tree of two levels: lines into buckets, buckets into the root.
 * Equal roots mean equal content, and a change costs the hash of its lines and of their buckets.
 */
import { createHash, hash } from 'node:crypto'

const BUCKETS = 256
/** Of a bucket with nothing in it. */
const EMPTY_SUM = hash('sha256', '')

export class SnapshotHashes {
  /** Of each key the SHA-256 of its line, 32 bytes as latin1. */
  private readonly buckets: (Map<string, string> | undefined)[] = new Array<undefined>(BUCKETS).fill(undefined)
  /** SHA-256 in hex of each bucket; undefined after a change. */
  private readonly sums: (string | undefined)[] = new Array<string>(BUCKETS).fill(EMPTY_SUM)

  get(key: string): string | undefined {
    return this.buckets[bucketOf(key)]?.get(key)
  }

  /** `lineHash` is what `hashLine` gives; undefined takes the key out. */
  set(key: string, lineHash: string | undefined): void {
    const index = bucketOf(key)
    if (lineHash === undefined) this.buckets[index]?.delete(key)
    else (this.buckets[index] ??= new Map()).set(key, lineHash)
    this.sums[index] = undefined
  }

  /** The keys of a bucket, in no order. */
  keysOfBucket(index: number): string[] {
    return [...(this.buckets[index]?.keys() ?? [])]
  }

  *keys(): Generator<string> {
    for (const bucket of this.buckets) yield* bucket?.keys() ?? []
  }

  /** SHA-256 in hex of every bucket: over its keys in order, each with the hash of its line. */
  bucketHashes(): string[] {
    return this.sums.map((sum, index) => (this.sums[index] = sum ?? hashBucket(this.buckets[index])))
  }

  /** Hashes the buckets that changed, one after each pause, so that `root` finds them done. */
  async hashChanged(pause: () => Promise<void>): Promise<void> {
    for (const [index, sum] of this.sums.entries()) {
      if (sum !== undefined) continue
      this.sums[index] = hashBucket(this.buckets[index])
      await pause()
    }
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

function hashBucket(bucket: ReadonlyMap<string, string> = new Map()): string {
  const sum = createHash('sha256')
  for (const key of [...bucket.keys()].sort()) {
    sum.update(`${JSON.stringify(key)} `)
    sum.update(bucket.get(key) ?? '', 'latin1')
  }
  return sum.digest('hex')
}
