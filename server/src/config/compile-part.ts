/** A part of a configuration that is no file, such as one API as control keeps it, to its part of a snapshot. */
import type { JsonObject } from '../kernel/json.ts'
import type { PolicyDefinition } from '../kernel/policy.ts'
import type { Snapshot } from '../kernel/snapshot.ts'
import { compileRoot } from './compile.ts'
import { UnreadableFile, type ConfigReader } from './file-reader.ts'
import { Findings } from './findings.ts'
import { parseSource } from './source.ts'

const FOLDER = '/part'
const DOCUMENT = `${FOLDER}/part.json`

/**
 * Compiles `document`, the shape of a headgate.yaml. `texts` are the OpenAPI documents that its APIs name, by that
 * name. Throws a `ConfigError`; its issues have key paths and pointers, while their lines mean nothing to anybody.
 */
export function compilePart(
  document: JsonObject,
  texts: ReadonlyMap<string, string>,
  policies: readonly PolicyDefinition[],
): Snapshot {
  const findings = new Findings()
  const source = parseSource(DOCUMENT, JSON.stringify(document), (fault) => findings.reportFault(fault))
  if (source !== undefined) {
    findings.addSource(source)
    findings.setRoot(source.value)
  }
  findings.throwIfAny(() => [])
  const reader = new TextReader(texts)
  return compileRoot(source?.value, { folder: FOLDER, reader, policies, findings, scope: 'part' })
}

class TextReader implements ConfigReader {
  readonly watched: readonly string[] = []
  private readonly texts: ReadonlyMap<string, string>

  constructor(texts: ReadonlyMap<string, string>) {
    this.texts = texts
  }

  read(path: string): string {
    const text = this.texts.get(path.slice(FOLDER.length + 1))
    if (text === undefined) throw new UnreadableFile('does not exist')
    return text
  }

  isDirectory(): boolean {
    return false
  }

  list(): string[] {
    return []
  }
}
