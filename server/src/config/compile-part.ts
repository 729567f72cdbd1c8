/** A part of a configuration that is no file, such as one API as control keeps it, to its part of a snapshot. */
import type { JsonObject } from '../kernel/json.ts'
import type { PolicyDefinition } from '../kernel/policy.ts'
import type { SnapshotContent } from '../kernel/snapshot.ts'
import { checkRoot, type CheckedRoot } from './compile.ts'
import { UnreadableFile, type ConfigReader } from './file-reader.ts'
import { NO_FILES } from './file-states.ts'
import { Findings } from './findings.ts'
import { toJsonSource } from './json-source.ts'
import { runAtOnce, type Steps } from './steps.ts'
import { toSnapshotContent } from './to-snapshot.ts'

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
): SnapshotContent {
  return runAtOnce(compilePartInSteps(document, texts, policies))
}

export function* compilePartInSteps(
  document: JsonObject,
  texts: ReadonlyMap<string, string>,
  policies: readonly PolicyDefinition[],
): Steps<SnapshotContent> {
  return toSnapshotContent(yield* check(document, texts, policies))
}

/** How many routes a version of an API has. */
export interface RouteCount {
  readonly api: string
  readonly version: string
  readonly routes: number
}

/** Checks as `compilePart` does, without making what may be large and is not wanted, in steps of an API or less. */
export function* checkPart(
  document: JsonObject,
  texts: ReadonlyMap<string, string>,
  policies: readonly PolicyDefinition[],
): Steps<RouteCount[]> {
  const { apis } = (yield* check(document, texts, policies)).plan
  return apis.map(({ settings: { name, version }, routes }) => ({ api: name, version, routes: routes.length }))
}

function* check(
  document: JsonObject,
  texts: ReadonlyMap<string, string>,
  policies: readonly PolicyDefinition[],
): Steps<CheckedRoot> {
  const findings = new Findings()
  const source = toJsonSource(DOCUMENT, document, (fault) => findings.reportFault(fault))
  if (source !== undefined) {
    findings.addSource(source)
    findings.setRoot(source.value)
  }
  findings.throwIfAny(() => NO_FILES)
  yield
  const reader = new TextReader(texts)
  return yield* checkRoot(source?.value, { folder: FOLDER, reader, policies, findings, scope: 'part' })
}

class TextReader implements ConfigReader {
  readonly watched = NO_FILES
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
