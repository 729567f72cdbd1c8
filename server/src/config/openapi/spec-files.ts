/** The files of an OpenAPI document: itself and what it refers to, each read once, none outside the allowed folders. */
import { relative, resolve, sep } from 'node:path'
import { besideFile, UnreadableFile, type ConfigReader } from '../file-reader.ts'
import type { Findings } from '../findings.ts'
import type { KeyPath, Place } from '../issues.ts'
import { parseSource, type Source } from '../source.ts'
import type { DocumentRule } from './document-rules.ts'

/** One file with its values; those of a Swagger 2.0 document are already upgraded. */
export interface SpecFile {
  readonly source: Source
  readonly value: unknown
}

/** A value and the file that it stands in, because references are relative to it. */
export interface Located {
  readonly file: SpecFile
  readonly pointer: KeyPath
  readonly value: unknown
}

/** Follows references, wherever they lead. */
export interface References {
  /** Finds what a `$ref` in a file leads to; throws a `ReferenceFault`. */
  follow(reference: string, from: SpecFile): Located
}

/** Why a reference leads nowhere: a sentence and how to mend it. */
export class ReferenceFault extends Error {
  override readonly name = 'ReferenceFault'
  readonly hint: string
  /** The rule that an import names; undefined when the reference itself is wrong. */
  readonly rule: DocumentRule | undefined

  constructor(message: string, hint: string, rule?: DocumentRule) {
    super(message)
    this.hint = hint
    this.rule = rule
  }
}

export class SpecFiles implements References {
  private readonly reader: ConfigReader
  private readonly findings: Findings
  private readonly folders: string[]
  private readonly files = new Map<string, SpecFile | undefined>()

  /** References may lead to files below these folders: where the configuration and where the document lies. */
  constructor(folders: readonly string[], reader: ConfigReader, findings: Findings) {
    this.folders = folders.map((folder) => resolve(folder))
    this.reader = reader
    this.findings = findings
  }

  /** Reads a file; undefined after its faults were reported. Throws `UnreadableFile`. */
  open(path: string): SpecFile | undefined {
    const known = this.files.get(path)
    if (known !== undefined || this.files.has(path)) return known
    const source = parseSource(path, this.reader.read(path), (fault) => this.findings.reportFault(fault))
    const file = source && { source, value: source.value }
    this.files.set(path, file)
    return file
  }

  /** Makes the upgraded values of a document stand for its file. */
  replace(path: string, file: SpecFile): void {
    this.files.set(path, file)
  }

  follow(reference: string, from: SpecFile): Located {
    return followReference(reference, from, (address) => this.openReferred(address, from))
  }

  /** The place of a pointer in a file, as it was before an upgrade. */
  static place(file: SpecFile, pointer: KeyPath, at: 'key' | 'value' = 'value'): Place {
    return file.source.place(file.source.value, pointer, at)
  }

  private openReferred(address: string, from: SpecFile): SpecFile {
    if (/^[A-Za-z][A-Za-z0-9+.-]+:|^\/\//.test(address)) {
      throw new ReferenceFault(
        `the reference leads to ${address}`,
        'Only files are read: put a copy beside the document.',
      )
    }
    const path = besideFile(from.source.file, address)
    if (!this.folders.some((folder) => isBelow(resolve(path), folder))) {
      const hint = 'Put the file below the folder of the configuration or of the document.'
      throw new ReferenceFault(`the reference ${address} leads out of the configuration`, hint)
    }
    try {
      const file = this.open(path)
      if (file !== undefined) return file
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error
      throw new ReferenceFault(`the file ${path} ${error.message}`, 'Mend the path of the reference.')
    }
    throw new ReferenceFault(`the file ${path} cannot be used`, 'Mend what is wrong in it.')
  }
}

/** Follows a reference; `open` reads the file of one that leads out of its own. Throws a `ReferenceFault`. */
export function followReference(reference: string, from: SpecFile, open: (address: string) => SpecFile): Located {
  const hash = reference.indexOf('#')
  const address = hash === -1 ? reference : reference.slice(0, hash)
  const file = address === '' ? from : open(decode(address))
  const pointer = parsePointer(hash === -1 ? '' : decode(reference.slice(hash + 1)), reference)
  let { value } = file
  for (const [index, token] of pointer.entries()) {
    const next = childAt(value, token)
    if (next === undefined) {
      const found = toPointer(pointer.slice(0, index))
      throw new ReferenceFault(`the reference ${reference} leads to nothing`, `There is no \`${token}\` in ${found}.`)
    }
    value = next
  }
  return { file, pointer, value }
}

/** Only the text of the path counts: links that an operator placed below a folder, as a ConfigMap has, are followed. */
function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && resolve(folder, way) === path
}

/** JSON pointer (RFC 6901) to keys; throws a `ReferenceFault` for what is none. */
export function parsePointer(pointer: string, reference: string): string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) {
    throw new ReferenceFault(
      `the reference ${reference} is not a JSON pointer`,
      'Write it as `#/components/schemas/Name`.',
    )
  }
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Keys to a JSON pointer as a fragment, such as `#/paths/~1books`. */
export function toPointer(path: KeyPath): string {
  return ['#', ...path.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/')
}

function childAt(value: unknown, token: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return undefined
  return Reflect.get(value, token)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign is no encoding: the text is meant as it stands.
    return text
  }
}
