/**
 * The last good snapshot on disk, so that a gateway starts while control is away. It holds secrets, so it is sealed
 * with a key that lies apart; it is believed only when its hash and signature are right. A change is added at the end:
 * writing everything takes longer than most changes take to be live.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { open, seal } from '../../kernel/sealing.ts'
import { diffLines } from '../../kernel/snapshot-delivery.ts'
import { SnapshotTree } from '../../kernel/snapshot-tree.ts'
import { createFile, readIfThere, syncFolder } from '../../kernel/whole-file.ts'

const signedRoot = z.strictObject({
  environment: z.string(),
  seq: z.int(),
  root: z.string(),
  signature: z.string(),
})

/** A line of the file: some changes, and the root that they lead to when no more belong to it. */
const entryShape = z.strictObject({
  changes: z.array(z.tuple([z.string(), z.string()])),
  signed: signedRoot.optional(),
})

export type SignedRoot = z.output<typeof signedRoot>

export interface KeptSnapshot {
  readonly signed: SignedRoot
  readonly tree: SnapshotTree
}

type Lines = ReadonlyMap<string, string>

const LINES_OF_ENTRY = 1_000
/** So much is added at the end before everything is written anew. */
const MOST_ADDED_BYTES = 4 * 1024 * 1024

export class SnapshotKeeper {
  private readonly path: string
  private readonly keyPath: string
  private key: Buffer | undefined
  /** What the file says, as far as this keeper wrote it. */
  private written: Lines | undefined
  private addedBytes = 0

  /** `keyPath` is a file of the node that is not copied along with its data. */
  constructor(folder: string, keyPath: string) {
    this.path = join(folder, 'snapshot.sealed')
    this.keyPath = keyPath
  }

  /** What was kept; undefined when there is nothing. Throws when it is damaged or was sealed with another key. */
  read(): KeptSnapshot | undefined {
    const text = readIfThere(this.path)
    if (text === undefined) return undefined
    const tree = new SnapshotTree()
    let signed: SignedRoot | undefined
    let unsigned: (readonly [key: string, line: string])[] = []
    // After the last line feed stands what a crash left of an entry, or nothing.
    for (const sealed of text.split('\n').slice(0, -1)) {
      const value: unknown = JSON.parse(open(this.nodeKey(), sealed, 'snapshot'))
      const entry = entryShape.parse(value)
      unsigned.push(...entry.changes)
      // Changes whose last entry a crash has taken never come to be.
      if (entry.signed === undefined) continue
      for (const [key, line] of unsigned) {
        if (line === '') tree.remove(key)
        else tree.set(key, line)
      }
      signed = entry.signed
      unsigned = []
    }
    if (signed === undefined || tree.root() !== signed.root) {
      throw new Error('the kept snapshot does not have the hash that it says')
    }
    return { signed, tree }
  }

  /** Makes the file say this: a crash leaves what it said before, or this. */
  write(signed: SignedRoot, lines: Lines): void {
    if (this.written === undefined || this.addedBytes > MOST_ADDED_BYTES) this.writeAll(signed, lines)
    else this.addedBytes += this.append(this.path, [...diffLines(this.written, lines)], signed)
    this.written = lines
  }

  private writeAll(signed: SignedRoot, lines: Lines): void {
    // Until it is done, nothing may be added to a file that is not known.
    this.written = undefined
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    const fresh = `${this.path}.new`
    writeFileSync(fresh, '', { mode: 0o600 })
    this.append(fresh, [...lines], signed)
    renameSync(fresh, this.path)
    // Else a crash might take the name, and with it every change that was added under it since.
    syncFolder(dirname(this.path))
    this.addedBytes = 0
  }

  /** Returns the bytes that were added, which are on the disk then. */
  private append(path: string, changes: [key: string, line: string][], signed: SignedRoot): number {
    const file = openSync(path, 'a', 0o600)
    let bytes = 0
    try {
      for (let at = 0; at === 0 || at < changes.length; at += LINES_OF_ENTRY) {
        const isLast = at + LINES_OF_ENTRY >= changes.length
        const entry = { changes: changes.slice(at, at + LINES_OF_ENTRY), ...(isLast ? { signed } : {}) }
        const text = `${seal(this.nodeKey(), JSON.stringify(entry), 'snapshot')}\n`
        // Unlike `writeSync`, which may write a part only.
        writeFileSync(file, text)
        bytes += text.length
      }
      fsyncSync(file)
    } catch (cause) {
      // What was added may be half an entry: the next write is of everything.
      this.written = undefined
      throw cause
    } finally {
      closeSync(file)
    }
    return bytes
  }

  private nodeKey(): Buffer {
    if (this.key !== undefined) return this.key
    const known = readIfThere(this.keyPath)
    if (known !== undefined) return (this.key = Buffer.from(known, 'base64'))
    const key = randomBytes(32)
    createFile(this.keyPath, key.toString('base64'))
    return (this.key = key)
  }
}
