/**
 * Tells when files of a configuration may have changed, by looking at them twice a second. Events of the file system would
 * say it a moment earlier, but they are lost on network file systems and where a mounted ConfigMap swaps its symlink, and
 * a log that grows in the same directory brings hundreds of them a second.
 */
import { statSync } from 'node:fs'
import {
  endsALine,
  GONE,
  isFolder,
  isSame,
  listWritten,
  NO_FILES,
  readStates,
  type FileStates,
} from '../../config/file-states.ts'

/** Editors and kubelets write in several steps; one reload serves them all. */
const SETTLE_MS = 150
/** A file that is written in place is read when nothing was added to it for so long. */
const WRITTEN_SETTLE_MS = 1_000
/** The same when it breaks off within a line: half a document may well be a document. */
const CUT_SETTLE_MS = 5_000
/** However often files change, what stands there is read at last. */
const MAX_SETTLE_MS = 15_000
const LOOK_MS = 500
/** Of so many files that looking at them takes time, no more than a hundredth of it. */
const MAX_LOOK_SHARE = 0.01

export class ConfigWatch {
  private readonly changed: () => void
  private paths: readonly string[] = []
  private seen: FileStates = NO_FILES
  private settling: NodeJS.Timeout | undefined
  /** The state of the files that the settling is about, and since when there is something to settle. */
  private settlingFor: FileStates | undefined
  private unsettledMs = 0
  private dueMs = 0
  private looking: NodeJS.Timeout | undefined
  private closed = false

  constructor(changed: () => void) {
    this.changed = changed
    this.lookLater(0)
  }

  /**
   * Watches from now on what was read, and tells what has changed since. Only a directory that is a configuration is
   * listed: whoever replaces a file may hold its directory for seconds, while a disk frees what stood there before.
   */
  follow(read: FileStates): void {
    this.paths = [...read.keys()]
    this.seen = new Map([...readStates(this.paths)].map(([path, state]) => [path, read.get(path) ?? state]))
    this.look()
  }

  /**
   * Whether files that were read and not watched before may not have been whole: they have changed since, or had just been
   * written. Then it is told once they stay as they are.
   */
  awaitNew(read: FileStates): boolean {
    const fresh = [...read.keys()].filter((path) => !this.seen.has(path) && read.get(path) !== GONE && !isFolder(path))
    const found = readStates(fresh)
    const waitMs = Math.max(0, ...fresh.map(toWaitMs))
    this.follow(read)
    const pendingMs = this.settlingFor === undefined ? 0 : this.dueMs - performance.now()
    if (waitMs > 0) this.settle(readStates(this.paths), Math.max(waitMs, pendingMs))
    return waitMs > 0 || fresh.some((path) => found.get(path) !== read.get(path))
  }

  close(): void {
    this.closed = true
    clearTimeout(this.looking)
    clearTimeout(this.settling)
  }

  private lookLater(tookMs: number): void {
    if (this.closed) return
    this.looking = setTimeout(
      () => {
        const beganMs = performance.now()
        this.look()
        this.lookLater(performance.now() - beganMs)
      },
      Math.max(LOOK_MS, tookMs / MAX_LOOK_SHARE),
    ).unref()
  }

  private look(): void {
    const found = readStates(this.paths)
    if (isSame(found, this.settlingFor ?? this.seen)) return
    this.settle(found, Math.max(toSettleMs(this.seen, found), toSettleMs(this.settlingFor ?? this.seen, found)))
  }

  private settle(found: FileStates, settleMs: number): void {
    if (this.closed) return
    const nowMs = performance.now()
    if (this.settlingFor === undefined) this.unsettledMs = nowMs
    this.dueMs = Math.max(nowMs, Math.min(nowMs + settleMs, this.unsettledMs + MAX_SETTLE_MS))
    this.settlingFor = found
    clearTimeout(this.settling)
    this.settling = setTimeout(() => this.settled(), this.dueMs - nowMs)
  }

  private settled(): void {
    const found = readStates(this.paths)
    const isOver = performance.now() - this.unsettledMs >= MAX_SETTLE_MS
    // It was written since the last look.
    if (this.settlingFor !== undefined && !isOver && !isSame(found, this.settlingFor)) {
      this.look()
      return
    }
    this.settlingFor = undefined
    this.seen = found
    this.changed()
  }
}

/** How long a file that nobody watched while it came must still stay as it is to be taken for whole; 0 if it has already. */
function toWaitMs(path: string): number {
  try {
    // Another machine's clock may be ahead.
    const ageMs = Math.abs(Date.now() - statSync(path).mtimeMs)
    const settleMs = endsALine(path) ? WRITTEN_SETTLE_MS : CUT_SETTLE_MS
    return Math.max(0, settleMs - ageMs)
  } catch {
    // It is gone, which is a change since it was read.
    return 0
  }
}

/** How long files must stay as they are to be taken for whole, by how they came to be so. */
function toSettleMs(before: FileStates, after: FileStates): number {
  const written = listWritten(before, after).filter((path) => !isFolder(path))
  if (written.length === 0) return SETTLE_MS
  return written.every(endsALine) ? WRITTEN_SETTLE_MS : CUT_SETTLE_MS
}
