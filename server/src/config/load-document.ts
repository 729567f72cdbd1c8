/** Files in, one merged tree of values out: a file, or the files of a directory in the order of their names. */
import { UnreadableFile, type ConfigReader } from './file-reader.ts'
import { childOf, type Findings } from './findings.ts'
import { parseSource, type Source } from './source.ts'
import { createSubstitute, type Audience, type Environment } from './substitute.ts'

/** Reads what stands at `path`; the document is undefined when nothing of it could be read. */
export function loadDocument(
  path: string,
  environment: Environment,
  reader: ConfigReader,
  findings: Findings,
  audience: Audience = 'gateway',
): Record<string, unknown> | undefined {
  const sources = listFiles(path, reader, findings).flatMap((file) => {
    const source = readSource(file, environment, reader, findings, audience)
    return source === undefined ? [] : [source]
  })
  const parts = sources.filter((source) => isPart(source, sources.length, findings))
  if (findings.list.count > 0 || parts.length === 0) return undefined
  for (const part of parts) findings.addSource(part)
  const root = mergeParts(parts, findings)
  findings.setRoot(root)
  return root
}

function listFiles(path: string, reader: ConfigReader, findings: Findings): readonly string[] {
  const start = { file: path, line: 1, column: 1 }
  try {
    if (!reader.isDirectory(path)) return [path]
    const files = reader.list(path)
    if (files.length > 0) return files
    findings.reportFault({ ...start, message: 'the directory holds no .yaml, .yml or .json file', hint: undefined })
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    findings.reportFault({ ...start, message: `the path ${error.message}`, hint: 'Name a file or a directory.' })
  }
  return []
}

function readSource(
  file: string,
  environment: Environment,
  reader: ConfigReader,
  findings: Findings,
  audience: Audience,
): Source | undefined {
  try {
    const substitute = createSubstitute(file, environment, reader, audience)
    return parseSource(file, reader.read(file), (fault) => findings.reportFault(fault), substitute)
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    const message = `the file ${error.message}`
    findings.reportFault({ file, line: 1, column: 1, message, hint: undefined })
    return undefined
  }
}

/** Whether a file is part of the document: OpenAPI documents may lie beside it and are left to the `spec` key. */
function isPart(source: Source, files: number, findings: Findings): boolean {
  const { value } = source
  if (childOf(value, 'headgate') !== undefined) return true
  if (files > 1 && (childOf(value, 'openapi') ?? childOf(value, 'swagger')) !== undefined) return false
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  const message = isMap || value === null ? 'the file does not say `headgate: 1`' : 'the file is not a map of keys'
  const hint = 'Begin every configuration file with `headgate: 1`; keep other files in a directory of their own.'
  findings.reportFault({ ...source.place(value, []), message, hint })
  return false
}

function mergeParts(parts: readonly Source[], findings: Findings): Record<string, unknown> {
  // No plain object: a key such as `constructor` would seem to be there already.
  const root = new Map<string, unknown>()
  const holders = new Map<string, Source>()
  for (const part of parts) {
    for (const [key, value] of Object.entries(part.value ?? {})) {
      const known = root.get(key)
      const holder = holders.get(key)
      if (Array.isArray(value) && Array.isArray(known)) root.set(key, [...known, ...value])
      else if (holder === undefined || value === null) root.set(key, known ?? value)
      else if (key !== 'headgate') reportTwice(key, part, holder, findings)
      if (value !== null && holder === undefined) holders.set(key, part)
    }
  }
  return Object.fromEntries(root)
}

function reportTwice(key: string, part: Source, holder: Source, findings: Findings): void {
  const other = holder.place(holder.value, [key], 'key')
  const hint = 'Only lists are put together; keep this in one file.'
  findings.list.add(part.place(part.value, [key], 'key'), [key], 'stands in two files', { hint, other })
}
