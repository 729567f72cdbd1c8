/** Reads the files of a configuration within bounds and remembers what it looked at, so that changes can be watched. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { stateOf, type FileStates } from './file-states.ts'

export interface ReadLimits {
  /** Bytes of one file. */
  readonly fileBytes: number
  /** Files of one configuration, documents and secrets included. */
  readonly files: number
}

const defaultReadLimits: ReadLimits = { fileBytes: 16 * 1024 * 1024, files: 1000 }

/** A file that cannot be used; the message is a sentence for the operator without the file's content. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile'
}

/** Where the parts of a configuration come from: files, or what control keeps. */
export interface ConfigReader {
  /** What was read, listed or looked for, as it was right before: what differs from that has changed since. */
  readonly watched: FileStates
  /** The text under a path; throws `UnreadableFile`. */
  read(path: string): string
  /** Throws `UnreadableFile` when there is nothing. */
  isDirectory(path: string): boolean
  list(directory: string): string[]
}

export class FileReader implements ConfigReader {
  private readonly limits: ReadLimits
  /** By absolute paths. */
  private readonly seen = new Map<string, string>()
  private readonly texts = new Map<string, string>()

  constructor(limits: ReadLimits = defaultReadLimits) {
    this.limits = limits
  }

  get watched(): FileStates {
    return this.seen
  }

  /** The text of a file; each one is read once. */
  read(path: string): string {
    const known = this.texts.get(path)
    if (known !== undefined) return known
    if (this.texts.size >= this.limits.files) throw new UnreadableFile(`more than ${this.limits.files} files are read`)
    this.note(path)
    const text = readText(path, this.limits.fileBytes)
    this.texts.set(path, text)
    return text
  }

  /** Whether the path is a directory; throws when there is nothing. */
  isDirectory(path: string): boolean {
    this.note(path)
    try {
      return statSync(path).isDirectory()
    } catch (error) {
      throw new UnreadableFile(toReason(error))
    }
  }

  /** The configuration files of a directory in the order of their names; hidden ones are left out. */
  list(directory: string): string[] {
    return listNames(directory)
      .filter((name) => /^[^.].*\.(?:ya?ml|json)$/i.test(name))
      .toSorted()
      .map((name) => join(directory, name))
      .filter((path) => !this.isDirectory(path))
  }

  private note(given: string): void {
    const path = resolve(given)
    if (!this.seen.has(path)) this.seen.set(path, stateOf(path))
  }
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    throw new UnreadableFile(toReason(error))
  }
}

/** The path of a file that another one names, in the manner in which that one is named itself. */
export function besideFile(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path)
}

function readText(path: string, mostBytes: number): string {
  let bytes: Buffer
  try {
    const facts = statSync(path)
    if (!facts.isFile()) throw new UnreadableFile('is not a file')
    if (facts.size > mostBytes) throw new UnreadableFile(`is larger than ${mostBytes} bytes`)
    bytes = readFileSync(path)
  } catch (error) {
    throw error instanceof UnreadableFile ? error : new UnreadableFile(toReason(error))
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UnreadableFile('is not UTF-8 text')
  }
}

function toReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user'
  return `cannot be read (${code})`
}
