/** What tells one state of a configuration's files from another without reading them, and how one came from the other. */
import { closeSync, fstatSync, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** States of the files and directories by their path. */
export type FileStates = ReadonlyMap<string, string>

export const NO_FILES: FileStates = new Map()

/** Of a path where nothing is. */
export const GONE = 'gone'
const LINE_FEED = 0x0a

function isDocument(name: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(name)
}

export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** A folder matters for the files that it has; its own time changes with every file beside them. */
export function readStates(paths: readonly string[]): FileStates {
  const all = paths.flatMap((path) => (isFolder(path) ? [path, ...listDocuments(path)] : [path]))
  return new Map(all.map((path) => [path, stateOf(path)]))
}

export function isSame(one: FileStates, other: FileStates): boolean {
  if (one.size !== other.size) return false
  for (const [path, state] of one) if (other.get(path) !== state) return false
  return true
}

/**
 * Files whose content may still be on its way: they are the same files as before with another content, or new ones. A
 * file that another one took the place of, by a rename or the swap of a link, is whole.
 */
export function listWritten(before: FileStates, after: FileStates): string[] {
  return [...after].flatMap(([path, state]) => {
    const old = before.get(path)
    if (state === old || state === GONE) return []
    return old === undefined || old === GONE || identityOf(old) === identityOf(state) ? [path] : []
  })
}

/** Whether a file ends as a text that is whole does: with the end of a line. */
export function endsALine(path: string): boolean {
  try {
    const file = openSync(path, 'r')
    try {
      const last = Buffer.alloc(1)
      const { size } = fstatSync(file)
      return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] === LINE_FEED
    } finally {
      closeSync(file)
    }
  } catch {
    // It cannot be read: compiling will say why.
    return false
  }
}

export function stateOf(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path)
    const content = isFolder(path) ? listDocuments(path).join(' ') : `${size} ${mtimeMs}`
    return `${realpathSync(path)} ${ino}\n${content}`
  } catch {
    return GONE
  }
}

function identityOf(state: string): string {
  return state.slice(0, state.indexOf('\n'))
}

function listDocuments(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter(isDocument)
      .toSorted()
      .map((name) => join(folder, name))
  } catch {
    return []
  }
}
