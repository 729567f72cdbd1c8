/** The files of an import: the document and what it refers to, fetched as they are found to be needed, within bounds. */
import { parseJsonSource } from '../json-source.ts'
import { parseSource, type Source, type SourceFault } from '../source.ts'
import { FetchFault, type FetchFile } from './fetch-file.ts'
import type { ImportFindings } from './import-findings.ts'
import type { ImportLimits } from './import-limits.ts'
import { referenceRules, textRules } from './import-rules.ts'
import { ReferenceFault, type SpecFile } from './spec-files.ts'

export interface ImportFileOptions {
  /** Address of the document; references are relative to it. */
  readonly source: URL
  /** Without it, references to other files are refused. */
  readonly fetch: FetchFile | undefined
  /** Hosts besides that of the document from which files may be fetched. */
  readonly hosts: readonly string[]
  readonly limits: ImportLimits
}

export class ImportFiles {
  private readonly options: ImportFileOptions
  private readonly findings: ImportFindings
  private readonly files = new Map<string, SpecFile | undefined>()
  /** Files that are needed and not there yet, with how many files lead to them. */
  private readonly missing = new Map<string, number>()
  private readonly depths = new Map<string, number>()
  private totalBytes = 0
  private readonly endsAtMs: number

  constructor(options: ImportFileOptions, findings: ImportFindings, nowMs: number) {
    this.options = options
    this.findings = findings
    this.endsAtMs = nowMs + options.limits.fetchMs
  }

  /** Reads one file; undefined after reports. */
  read(url: URL, input: string | Uint8Array): SpecFile | undefined {
    const text = this.toText(url.href, input)
    const source = text === undefined ? undefined : this.parse(url.href, text)
    const file = source === undefined ? undefined : { source, value: toOwnValue(source) }
    this.files.set(url.href, file)
    return file
  }

  /** The file that an address in another file leads to; throws a `ReferenceFault`, also for one that is not there yet. */
  open(address: string, from: SpecFile): SpecFile {
    const base = from.source.file
    const { referenceDepth, url } = this.locate(address, base)
    const known = this.files.get(url.href)
    if (known !== undefined) return known
    if (this.files.has(url.href))
      throw new ReferenceFault(
        `the file ${url.href} cannot be used`,
        'Mend what is wrong in it.',
        referenceRules.unavailable,
      )
    this.missing.set(url.href, referenceDepth)
    throw new ReferenceFault(`the file ${url.href} is not there yet`, '', referenceRules.unavailable)
  }

  /** A file that was read already; throws a `ReferenceFault` for any other. */
  peek(address: string, from: SpecFile): SpecFile {
    const { url } = this.locate(address, from.source.file)
    const known = this.files.get(url.href)
    if (known !== undefined) return known
    throw new ReferenceFault(`the file ${url.href} was not read`, '', referenceRules.unavailable)
  }

  /** Whether files are needed that were not fetched. */
  get isIncomplete(): boolean {
    return this.missing.size > 0
  }

  /** Fetches what is missing. Reports once for each file that cannot be had. */
  async fetchMissing(): Promise<void> {
    const wanted = [...this.missing]
    this.missing.clear()
    for (const [href, depth] of wanted) {
      this.depths.set(href, depth)
      await this.fetchOne(new URL(href))
    }
  }

  private locate(address: string, base: string): { url: URL; referenceDepth: number } {
    if (!URL.canParse(address, base)) {
      throw new ReferenceFault(`the reference ${address} is no address`, 'Mend the reference.')
    }
    const url = new URL(address, base)
    url.hash = ''
    if (this.options.fetch === undefined || !this.allows(url)) {
      const { remedy } = referenceRules.elsewhere
      throw new ReferenceFault(`the reference leads to ${toShown(url)}`, remedy, referenceRules.elsewhere)
    }
    const referenceDepth = (this.depths.get(base) ?? 0) + 1
    if (referenceDepth > this.options.limits.fileDepth) {
      const message = `more than ${this.options.limits.fileDepth} files lead to each other in a row`
      throw new ReferenceFault(message, referenceRules.bounds.remedy, referenceRules.bounds)
    }
    return { url, referenceDepth }
  }

  /** Never from the network to the disk; a host is its name and port, reached in the same way. */
  private allows(url: URL): boolean {
    const { source, hosts } = this.options
    if (source.protocol === 'file:') {
      const folder = new URL('.', source).href
      return url.protocol === 'file:' && url.host === source.host && url.href.startsWith(folder)
    }
    if (url.protocol === source.protocol && url.host === source.host) return true
    return (
      (url.protocol === 'https:' || url.protocol === source.protocol) &&
      url.protocol !== 'file:' &&
      hosts.includes(url.host)
    )
  }

  private async fetchOne(url: URL): Promise<void> {
    const { fetch, limits } = this.options
    this.files.set(url.href, undefined)
    const leftMs = this.endsAtMs - Date.now()
    if (this.files.size > limits.files || leftMs <= 0 || fetch === undefined) {
      const why =
        leftMs <= 0 ? `fetching takes more than ${limits.fetchMs} ms` : `more than ${limits.files} files are read`
      this.findings.refuse(referenceRules.bounds, url.href, why)
      return
    }
    try {
      const maxBytes = Math.min(limits.fileBytes, limits.totalBytes - this.totalBytes)
      const { bytes } = await fetch(url, { maxBytes, timeoutMs: leftMs, allows: (each) => this.allows(each) })
      this.read(url, bytes)
    } catch (error) {
      if (!(error instanceof FetchFault)) throw error
      this.findings.refuse(error.rule, url.href, error.message)
    }
  }

  private toText(file: string, input: string | Uint8Array): string | undefined {
    const bytes = typeof input === 'string' ? Buffer.byteLength(input) : input.length
    this.totalBytes += bytes
    const { fileBytes, totalBytes } = this.options.limits
    if (bytes > fileBytes || this.totalBytes > totalBytes) {
      const most = bytes > fileBytes ? fileBytes : totalBytes
      this.findings.refuse(textRules.size, file, `takes more than ${most} bytes`)
      return undefined
    }
    if (typeof input === 'string') return input.replace(/^\uFEFF/, '')
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(input)
    } catch {
      // The decoder has no more to say than that.
      this.findings.refuse(textRules.encoding, file, 'is not UTF-8 text')
      return undefined
    }
  }

  private parse(file: string, text: string): Source | undefined {
    const { yamlBytes } = this.options.limits
    let faults = 0
    const report = ({ matter, path, message, hint, line, column }: SourceFault): void => {
      faults++
      const rule = matter === 'substitution' ? textRules.syntax : textRules[matter]
      const where = path.length === 0 ? ` (line ${line}, column ${column})` : ''
      this.findings.add({ rule, pointer: path, message: `${message}${where}`, remedy: hint }, file)
    }
    const json = /^\s*[{[]/.test(text) ? parseJsonSource(file, text, report) : 'no JSON'
    if (json !== 'no JSON') return faults === 0 ? json : undefined
    if (text.length > yamlBytes) {
      const message = `is no JSON, and takes more than ${yamlBytes} bytes as YAML`
      this.findings.refuse(textRules.size, file, message)
      return undefined
    }
    const yaml = parseSource(file, text, report)
    return faults === 0 ? yaml : undefined
  }
}

/** What aliases of YAML repeat is one object, which a change in one place would change in all. */
function toOwnValue({ value, hasAliases }: Source): unknown {
  return hasAliases ? JSON.parse(JSON.stringify(value)) : value
}

function toShown({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname}`
}
