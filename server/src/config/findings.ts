/** Reports what is wrong with a document by key path; knows the file and line of each path, also after a merge. */
import type { FileStates } from './file-states.ts'
import { ConfigError, IssueList, type KeyPath, type Place } from './issues.ts'
import type { Source, SourceFault } from './source.ts'

export interface ReportOptions {
  readonly hint?: string | undefined
  /** Point at the key and not at its value. */
  readonly at?: 'key' | 'value'
  /** The other key of a contradiction. */
  readonly otherPath?: KeyPath
}

export class Findings {
  readonly list = new IssueList()
  private readonly sources: Source[] = []
  private root: unknown = undefined

  addSource(source: Source): void {
    this.sources.push(source)
  }

  /** The merged document that key paths start from. */
  setRoot(root: unknown): void {
    this.root = root
  }

  report(path: KeyPath, message: string, options: ReportOptions = {}): void {
    const other = options.otherPath === undefined ? {} : { other: this.place(options.otherPath) }
    this.list.add(this.place(path, options.at), path, this.withoutSecret(message, path), {
      hint: options.hint,
      ...other,
    })
  }

  reportFault(fault: Omit<SourceFault, 'path' | 'matter'>): void {
    this.list.add(fault, [], fault.message, { hint: fault.hint })
  }

  place(path: KeyPath, at: 'key' | 'value' = 'value'): Place {
    const [top, index] = path
    if (top === undefined) return this.first().place(this.first().value, [])
    const section = childOf(this.root, top)
    const owner = this.ownerOf(section)
    if (owner !== undefined) return owner.place(owner.value, path, at)
    const element = index === undefined ? undefined : childOf(section, index)
    const elementOwner = this.ownerOf(element)
    if (elementOwner !== undefined) return elementOwner.place(element, path.slice(2), at)
    const holder = this.sources.find((source) => childOf(source.value, top) !== undefined) ?? this.first()
    return holder.place(holder.value, [top], at)
  }

  /** The value under a path for a message: quoted, unless it came from outside the file and may be secret. */
  shown(path: KeyPath): string {
    const value = this.valueAt(path)
    if (typeof value !== 'string' || value.length > 80 || this.isSubstituted(path)) return 'this value'
    return JSON.stringify(value)
  }

  /** Whoever reports may quote the value; one that came from outside the file may be secret, and the log is read by many. */
  private withoutSecret(message: string, path: KeyPath): string {
    const value = this.valueAt(path)
    const isSecret = typeof value === 'string' && value !== '' && this.isSubstituted(path)
    return isSecret ? message.replaceAll(value, 'this value') : message
  }

  isSubstituted(path: KeyPath): boolean {
    const parent = this.valueAt(path.slice(0, -1))
    const key = path.at(-1)
    if (typeof parent !== 'object' || parent === null || key === undefined) return false
    return this.sources.some((source) => source.isSubstituted(parent, key))
  }

  valueAt(path: KeyPath): unknown {
    let value = this.root
    for (const key of path) value = childOf(value, key)
    return value
  }

  /** Throws when anything was reported. */
  throwIfAny(watched: () => FileStates): void {
    if (this.list.count > 0) throw new ConfigError(this.list.sorted(), watched())
  }

  private ownerOf(value: unknown): Source | undefined {
    if (typeof value !== 'object' || value === null) return undefined
    return this.sources.find((source) => source.owns(value))
  }

  private first(): Source {
    const [first] = this.sources
    if (first === undefined) throw new Error('a document without files has no places')
    return first
  }
}

/** What stands under a key or index, undefined when nothing does; inherited properties are nothing. */
export function childOf(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return Reflect.get(value, key)
}
