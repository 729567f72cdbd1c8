/**
 * Tells when files of a configuration may have changed: by the file system's events, and by looking every few seconds
 * because events are lost on network file systems and when a mounted ConfigMap swaps its symlink.
 */
import { realpathSync, watch, type FSWatcher } from 'node:fs'
import { basename, dirname } from 'node:path'
import { endsALine, isDocument, isFolder, isSame, listWritten, readStates, type FileStates } from './file-states.ts'

/** Editors and kubelets write in several steps; one reload serves them all. */
const SETTLE_MS = 150
/** A file that is written in place is read when nothing was added to it for so long. */
const WRITTEN_SETTLE_MS = 1_000
/** The same when it breaks off within a line: half a document may well be a document. */
const CUT_SETTLE_MS = 5_000
/** However often files change, what stands there is read at last. */
const MAX_SETTLE_MS = 15_000
const LOOK_MS = 2_000

const NOTHING: FileStates = new Map()

export class ConfigWatch {
  private readonly changed: () => void
  private readonly watchers = new Map<string, FSWatcher>()
  private paths: readonly string[] = []
  private seen: FileStates = NOTHING
  private settling: NodeJS.Timeout | undefined
  /** The state of the files that the settling is about, and since when there is something to settle. */
  private settlingFor: FileStates | undefined
  private unsettledMs = 0
  private readonly looking: NodeJS.Timeout

  constructor(changed: () => void) {
    this.changed = changed
    this.looking = setInterval(() => this.look(), LOOK_MS).unref()
  }

  /** To be called before the files are read: what changes from now on is told, also what changes meanwhile. */
  beginReading(): void {
    this.seen = readStates(this.paths)
  }

  /**
   * Watches these files and directories from now on. Only a directory that is a configuration is listed: whoever replaces
   * a file may hold its directory for seconds, while a disk frees what stood there before.
   */
  follow(paths: readonly string[]): void {
    this.paths = paths
    const found = readStates(paths)
    this.seen = new Map([...found].map(([path, state]) => [path, this.seen.get(path) ?? state]))
    const folders = new Set(paths.flatMap(listFoldersOf).filter(isFolder))
    for (const [folder, watcher] of this.watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      this.watchers.delete(folder)
    }
    for (const folder of folders) if (!this.watchers.has(folder)) this.watchFolder(folder)
    this.look()
  }

  close(): void {
    clearInterval(this.looking)
    clearTimeout(this.settling)
    for (const watcher of this.watchers.values()) watcher.close()
  }

  private watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => {
        if (event === 'rename' || name === null || this.isFollowed(name)) this.look()
      })
      // A folder that goes away ends its watcher; the regular look finds what comes in its place.
      watcher.on('error', () => this.watchers.delete(folder))
      this.watchers.set(folder, watcher)
    } catch {
      // Too many watches, or gone already: the regular look serves.
    }
  }

  /** A log that grows beside the files is written hundreds of times a second, and each look asks the disk. */
  private isFollowed(name: string): boolean {
    return isDocument(name) || this.paths.some((path) => basename(path) === name)
  }

  /** What else happens in a folder, such as a log that grows beside the file, must not put the reload off. */
  private look(): void {
    const found = readStates(this.paths)
    if (isSame(found, this.settlingFor ?? this.seen)) return
    const nowMs = performance.now()
    if (this.settlingFor === undefined) this.unsettledMs = nowMs
    const leftMs = this.unsettledMs + MAX_SETTLE_MS - nowMs
    const settleMs = Math.max(toSettleMs(this.seen, found), toSettleMs(this.settlingFor ?? this.seen, found))
    this.settlingFor = found
    clearTimeout(this.settling)
    this.settling = setTimeout(() => this.settled(), Math.min(settleMs, Math.max(0, leftMs)))
  }

  private settled(): void {
    const found = readStates(this.paths)
    const isOver = performance.now() - this.unsettledMs >= MAX_SETTLE_MS
    // The event of a write that has just happened may be on its way.
    if (this.settlingFor !== undefined && !isOver && !isSame(found, this.settlingFor)) {
      this.look()
      return
    }
    this.settlingFor = undefined
    this.seen = found
    this.changed()
  }
}

/** Where something happens when what stands under a path changes: a link is swapped beside it, or its file is written. */
function listFoldersOf(path: string): string[] {
  const beside = [dirname(path), path]
  try {
    return [...beside, dirname(realpathSync(path))]
  } catch {
    // It is not there; it will come beside the path.
    return beside
  }
}

/** How long files must stay as they are to be taken for whole, by how they came to be so. */
function toSettleMs(before: FileStates, after: FileStates): number {
  const written = listWritten(before, after).filter((path) => !isFolder(path))
  if (written.length === 0) return SETTLE_MS
  return written.every(endsALine) ? WRITTEN_SETTLE_MS : CUT_SETTLE_MS
}
