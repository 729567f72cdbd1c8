/**
 * A snapshot as lines under keys, with their hashes. Both ends of the way from control to a gateway keep one, so that a
 * change travels as the lines that changed and is still checked against the whole.
 */
import { hashLine, SnapshotHashes } from './snapshot-hashes.ts'

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

export class SnapshotTree {
  private readonly hashes = new SnapshotHashes()
  private readonly content = new Map<string, string>()

  get size(): number {
    return this.content.size
  }

  apply({ removed, lines }: SnapshotChange): void {
    for (const key of removed) this.remove(key)
    for (const { key, line } of lines) this.set(key, line)
  }

  set(key: string, line: string): void {
    this.content.set(key, line)
    this.hashes.set(key, hashLine(line))
  }

  remove(key: string): void {
    if (this.content.delete(key)) this.hashes.set(key, undefined)
  }

  get(key: string): string | undefined {
    return this.content.get(key)
  }

  *lines(): Generator<SnapshotLine> {
    for (const [key, line] of this.content) yield { key, line }
  }

  /** The lines under their keys, as they are now and stay. */
  toMap(): ReadonlyMap<string, string> {
    return new Map(this.content)
  }

  linesOfBucket(index: number): SnapshotLine[] {
    return this.hashes.keysOfBucket(index).map((key) => ({ key, line: this.content.get(key) ?? '' }))
  }

  bucketHashes(): string[] {
    return this.hashes.bucketHashes()
  }

  /** The version of the snapshot. */
  root(): string {
    return this.hashes.root()
  }
}

/** What a signature stands under: the environment and the place in its history besides the content. */
export function toSignedText(environment: string, seq: number, root: string): string {
  return `headgate snapshot\n${environment}\n${seq}\n${root}\n`
}
