/**
 * A snapshot as lines under keys, hashed as a tree of two levels: lines into buckets, buckets into the root. Both ends
 * of the way from control to a gateway keep one, so that a change travels as the lines that changed and is still
 * checked against the whole: equal roots mean equal content.
 */
import { createHash, hash } from 'node:crypto'

export interface SnapshotLine {
  /** `upstreams/<name>`, `apis/<name>/<version>`, `routes/<id>`, `products/<name>`, `consumers/<name>` or `header`. */
  readonly key: string
  /** The JSON of the part. */
  readonly line: string
}

/** What leads from one state of the tree to another. */
export interface SnapshotChange {
  readonly removed: readonly string[]
  readonly lines: readonly SnapshotLine[]
}

export const BUCKETS = 256

export class SnapshotTree {
  private readonly buckets: Map<string, SnapshotLeaf>[] = Array.from({ length: BUCKETS }, () => new Map())
  /** SHA-256 in hex of each bucket; undefined after a change. */
  private readonly hashes: (string | undefined)[] = Array.from({ length: BUCKETS }, () => undefined)
  private count = 0

  get size(): number {
    return this.count
  }

  apply({ removed, lines }: SnapshotChange): void {
    for (const key of removed) this.remove(key)
    for (const { key, line } of lines) this.set(key, line)
  }

  set(key: string, line: string): void {
    const [bucket, index] = this.bucketOf(key)
    if (!bucket.has(key)) this.count++
    bucket.set(key, { line, hash: hash('sha256', line) })
    this.hashes[index] = undefined
  }

  remove(key: string): void {
    const [bucket, index] = this.bucketOf(key)
    if (!bucket.delete(key)) return
    this.count--
    this.hashes[index] = undefined
  }

  get(key: string): string | undefined {
    return this.bucketOf(key)[0].get(key)?.line
  }

  *lines(): Generator<SnapshotLine> {
    for (const bucket of this.buckets) for (const [key, { line }] of bucket) yield { key, line }
  }

  linesOfBucket(index: number): SnapshotLine[] {
    return [...(this.buckets[index] ?? [])].map(([key, { line }]) => ({ key, line }))
  }

  /** SHA-256 in hex of every bucket: over its keys in order, each with the hash of its line. */
  bucketHashes(): string[] {
    return this.buckets.map((bucket, index) => (this.hashes[index] ??= hashBucket(bucket)))
  }

  /** SHA-256 in hex over the hashes of the buckets: the version of the snapshot. */
  root(): string {
    return hash('sha256', this.bucketHashes().join('\n'))
  }

  copy(): SnapshotTree {
    const copy = new SnapshotTree()
    copy.apply({ removed: [], lines: [...this.lines()] })
    return copy
  }

  private bucketOf(key: string): readonly [Map<string, SnapshotLeaf>, number] {
    const index = hash('sha256', key, 'buffer').readUInt8(0)
    const bucket = this.buckets[index]
    if (bucket === undefined) throw new RangeError(`there is no bucket ${index}`)
    return [bucket, index]
  }
}

interface SnapshotLeaf {
  readonly line: string
  readonly hash: string
}

function hashBucket(bucket: ReadonlyMap<string, SnapshotLeaf>): string {
  const sum = createHash('sha256')
  for (const key of [...bucket.keys()].sort()) sum.update(`${JSON.stringify(key)} ${bucket.get(key)?.hash ?? ''}\n`)
  return sum.digest('hex')
}

/** What a signature stands under: the environment and the place in its history besides the content. */
export function toSignedText(environment: string, seq: number, root: string): string {
  return `headgate snapshot\n${environment}\n${seq}\n${root}\n`
}
