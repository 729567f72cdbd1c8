/**
 * The last good snapshot on disk, so that a gateway starts while control is away. It holds secrets, so it is sealed
 * with a key that lies apart; it is believed only when its hash and signature are right.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { open, seal } from '../../kernel/sealing.ts'
import { SnapshotTree } from '../../kernel/snapshot-tree.ts'

const shape = z.strictObject({
  environment: z.string(),
  seq: z.int(),
  root: z.string(),
  signature: z.string(),
  lines: z.array(z.strictObject({ key: z.string(), line: z.string() })),
})

export interface SignedRoot {
  readonly environment: string
  readonly seq: number
  readonly root: string
  readonly signature: string
}

export interface KeptSnapshot {
  readonly signed: SignedRoot
  readonly tree: SnapshotTree
}

export class SnapshotKeeper {
  private readonly path: string
  private readonly keyPath: string
  private key: Buffer | undefined

  /** `keyPath` is a file of the node that is not copied along with its data. */
  constructor(folder: string, keyPath: string) {
    this.path = join(folder, 'snapshot.sealed')
    this.keyPath = keyPath
  }

  /** What was kept; undefined when there is nothing. Throws when it is damaged or was sealed with another key. */
  read(): KeptSnapshot | undefined {
    const sealed = readIfThere(this.path)
    if (sealed === undefined) return undefined
    const value: unknown = JSON.parse(open(this.nodeKey(), sealed, 'snapshot'))
    const { lines, ...signed } = shape.parse(value)
    const tree = new SnapshotTree()
    tree.apply({ removed: [], lines })
    if (tree.root() !== signed.root) throw new Error('the kept snapshot does not have the hash that it says')
    return { signed, tree }
  }

  /** Replaces what is kept, in one step: a crash leaves the old one or the new one. */
  write({ signed, tree }: KeptSnapshot): void {
    const text = JSON.stringify({ ...signed, lines: [...tree.lines()] })
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    const fresh = `${this.path}.new`
    writeFileSync(fresh, seal(this.nodeKey(), text, 'snapshot'), { mode: 0o600, flush: true })
    renameSync(fresh, this.path)
  }

  private nodeKey(): Buffer {
    if (this.key !== undefined) return this.key
    const known = readIfThere(this.keyPath)
    if (known !== undefined) return (this.key = Buffer.from(known, 'base64'))
    mkdirSync(dirname(this.keyPath), { recursive: true, mode: 0o700 })
    const key = randomBytes(32)
    writeFileSync(this.keyPath, key.toString('base64'), { mode: 0o600, flag: 'wx', flush: true })
    return (this.key = key)
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
