/**
 * From a file or directory to a snapshot: read, check by schema, put together, check what schemas cannot say, convert.
 * Every stage collects all its findings and ends the walk when there are any. Synchronous, because a short-lived
 * process runs it.
 */
import { dirname, resolve } from 'node:path'
import type { PolicyDefinition } from '../kernel/policy.ts'
import type { Snapshot } from '../kernel/snapshot.ts'
import { checkParts, checkWhole, noOperations, type Operations } from './check-document.ts'
import { PolicyChecker } from './check-policies.ts'
import type { FileStates } from './file-states.ts'
import { FileReader, type ConfigReader, type ReadLimits } from './file-reader.ts'
import { Findings } from './findings.ts'
import { loadDocument } from './load-document.ts'
import { parseValue } from './parse-value.ts'
import { planDocument, type DocumentPlan } from './plan-document.ts'
import { checkPolicyConfigs, toRegistry } from './policy-configs.ts'
import { configDocument, type ConfigDocument } from './schema/document.ts'
import { toSnapshotLines } from './snapshot-lines.ts'
import { runAtOnce, type Steps } from './steps.ts'
import type { Audience, Environment } from './substitute.ts'
import { toSnapshotContent } from './to-snapshot.ts'

export interface CompiledConfig {
  readonly snapshot: Snapshot
  /** Files and directories as they were read: when one of them changes, the configuration may have changed. */
  readonly watched: FileStates
}

/**
 * Compiles the configuration at `path`; throws a `ConfigError` with everything that is wrong with it. One for a control
 * plane is a part: it may refer to what is there already.
 */
export function compileConfig(
  path: string,
  environment: Environment,
  policies: readonly PolicyDefinition[],
  limits?: ReadLimits,
  audience: Audience = 'gateway',
): CompiledConfig {
  const reader = new FileReader(limits)
  const findings = new Findings()
  const stop = (): void => findings.throwIfAny(() => reader.watched)

  const root = loadDocument(path, environment, reader, findings, audience)
  stop()
  const folder = reader.isDirectory(path) ? resolve(path) : dirname(resolve(path))
  const scope = audience === 'gateway' ? 'whole' : 'part'
  const content = toSnapshotContent(runAtOnce(checkRoot(root, { folder, reader, policies, findings, scope })))
  // The version is the hash of the content, so equal files make equal versions.
  return { snapshot: { version: toSnapshotLines(content).version, ...content }, watched: reader.watched }
}

export interface CompileParts {
  /** Documents that APIs name are looked for below it. */
  readonly folder: string
  readonly reader: ConfigReader
  readonly policies: readonly PolicyDefinition[]
  readonly findings: Findings
  /** A part may refer to what is not in it, and hold what nothing in it uses: whoever puts parts together checks that. */
  readonly scope: 'whole' | 'part'
}

/** A document without findings, and what it was put together to. */
export interface CheckedRoot {
  readonly document: ConfigDocument
  readonly plan: DocumentPlan
  readonly operations: Operations
}

/** Checks a document that was read; throws a `ConfigError` with everything that is wrong with it. */
export function* checkRoot(root: unknown, parts: CompileParts): Steps<CheckedRoot> {
  const { folder, reader, findings, scope } = parts
  const stop = (): void => findings.throwIfAny(() => reader.watched)
  const registry = toRegistry(parts.policies)
  const configs = yield* checkPolicyConfigs(root, registry, findings)
  const document = parseValue(configDocument, root, [], findings)
  yield
  stop()
  if (document === undefined) throw new Error('a document without findings was not parsed')
  const plan = yield* planDocument(document, configs, registry, folder, reader, findings)
  const isPlanned = findings.list.count === 0
  const checker = new PolicyChecker(registry, findings)
  yield* checkParts(document, plan, checker, findings, scope)
  const operations = isPlanned ? yield* checkWhole(document, plan, checker, findings, scope) : noOperations
  stop()
  return { document, plan, operations }
}
