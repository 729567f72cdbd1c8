/** Compiles what is kept in the store to lines of a snapshot. */
import type { Kysely } from 'kysely'
import { compilePart } from '../../config/compile-part.ts'
import { ConfigError, type ConfigIssue } from '../../config/issues.ts'
import type { JsonObject } from '../../kernel/json.ts'
import type { SnapshotContent } from '../../kernel/snapshot.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import type { WorkspaceRef } from '../define-route.ts'
import { invalid } from '../problems.ts'
import { withSecrets } from '../secrets/secret-values.ts'
import { nameForSnapshot } from './snapshot-names.ts'

/**
 * Compiles a document of the shape of a headgate.yaml with its secrets; `texts` are the OpenAPI documents that it names.
 * Refuses with everything that is wrong with it.
 */
export async function compileDocument(
  db: Kysely<Tables>,
  control: Control,
  workspace: WorkspaceRef,
  document: JsonObject,
  texts: ReadonlyMap<string, string> = new Map(),
): Promise<SnapshotContent> {
  const whole = await withSecrets(db, control, workspace, document)
  return nameForSnapshot(checkDocument(control, whole, texts), workspace.name)
}

/** Compiles a document whose secrets are references, to see whether it is right. */
export function checkDocument(
  control: Control,
  document: JsonObject,
  texts: ReadonlyMap<string, string> = new Map(),
): SnapshotContent {
  try {
    return compilePart({ headgate: 1, ...document }, texts, control.policies)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return refuseIssues(error.issues)
  }
}

/** Refuses with what is wrong. */
export function refuseIssues(issues: readonly ConfigIssue[]): never {
  const errors = issues.map((issue) => ({ pointer: issue.path, detail: toDetail(issue) }))
  return refuse(invalid({ detail: errors[0]?.detail ?? 'The configuration is not valid.', errors }))
}

function toDetail({ message, hint }: ConfigIssue): string {
  return hint === undefined ? message : `${message}. ${hint}`
}
