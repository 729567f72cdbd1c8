/** Small files that must never be seen half written, whenever the process or the machine ends: keys, identities, heads. */
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** Undefined when there is no such file. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Puts the text in the place of what the file holds, readable by its owner alone. On the disk when it returns. */
export function replaceFile(path: string, text: string): void {
  settle(path, text, (fresh) => renameSync(fresh, path))
}

/** The same for a file that is not there yet; throws `EEXIST` and leaves it alone when somebody else was first. */
export function createFile(path: string, text: string): void {
  settle(path, text, (fresh) => {
    linkSync(fresh, path)
    rmSync(fresh)
  })
}

function settle(path: string, text: string, name: (fresh: string) => void): void {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const fresh = `${path}.${randomUUID()}`
  try {
    writeFileSync(fresh, text, { mode: 0o600, flag: 'wx', flush: true })
    name(fresh)
    syncFolder(folder)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  }
}

/** The new name is on the disk only when its folder is. */
export function syncFolder(folder: string): void {
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
