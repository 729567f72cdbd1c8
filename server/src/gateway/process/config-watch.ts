/**
 * Tells when files of a configuration may have changed: by the file system's events, and by looking every few seconds
 * because events are lost on network file systems and when a mounted ConfigMap swaps its symlink.
 */
import { readdirSync, realpathSync, statSync, watch, type FSWatcher } from 'node:fs'
import { dirname } from 'node:path'

/** Editors and kubelets write in several steps; one reload serves them all. */
const SETTLE_MS = 150
const LOOK_MS = 2_000

export class ConfigWatch {
  private readonly changed: () => void
  private readonly watchers = new Map<string, FSWatcher>()
  private paths: readonly string[] = []
  private seen = ''
  private settling: NodeJS.Timeout | undefined
  /** The state of the files that the settling is about. */
  private settlingFor: string | undefined
  private readonly looking: NodeJS.Timeout

  constructor(changed: () => void) {
    this.changed = changed
    this.looking = setInterval(() => this.look(), LOOK_MS).unref()
  }

  /** Watches these files and directories from now on. */
  follow(paths: readonly string[]): void {
    this.paths = paths
    this.seen = fingerprint(paths)
    const folders = new Set(paths.flatMap((path) => [dirname(path), path]).filter(isFolder))
    for (const [folder, watcher] of this.watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      this.watchers.delete(folder)
    }
    for (const folder of folders) if (!this.watchers.has(folder)) this.watchFolder(folder)
  }

  close(): void {
    clearInterval(this.looking)
    clearTimeout(this.settling)
    for (const watcher of this.watchers.values()) watcher.close()
  }

  private watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.look())
      // A folder that goes away ends its watcher; the regular look finds what comes in its place.
      watcher.on('error', () => this.watchers.delete(folder))
      this.watchers.set(folder, watcher)
    } catch {
      // Too many watches, or gone already: the regular look serves.
    }
  }

  /** What else happens in a folder, such as a log that grows beside the file, must not put the reload off. */
  private look(): void {
    const found = fingerprint(this.paths)
    if (found === this.seen || found === this.settlingFor) return
    this.settlingFor = found
    clearTimeout(this.settling)
    this.settling = setTimeout(() => {
      this.settlingFor = undefined
      this.seen = fingerprint(this.paths)
      this.changed()
    }, SETTLE_MS)
  }
}

/** What tells one state of the files from another without reading them. */
function fingerprint(paths: readonly string[]): string {
  return paths
    .map((path) => {
      try {
        const { ino, size, mtimeMs } = statSync(path)
        // A folder matters for the files that it has; its own time changes with every file beside them.
        const state = isFolder(path)
          ? readdirSync(path).filter(isDocument).toSorted().join(' ')
          : `${ino} ${size} ${mtimeMs}`
        return `${realpathSync(path)} ${state}`
      } catch {
        return `${path} gone`
      }
    })
    .join('\n')
}

function isDocument(name: string): boolean {
  return /\.(?:ya?ml|json)$/.test(name)
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
