/** A version's settings and document to its part of a snapshot: in the draft's checks and when a revision is deployed. */
import type { Kysely } from 'kysely'
import type { JsonObject } from '../../kernel/json.ts'
import type { Snapshot } from '../../kernel/snapshot.ts'
import type { Tables } from '../../db/tables.ts'
import type { Control } from '../control.ts'
import type { WorkspaceRef } from '../define-route.ts'
import { checkDocument, compileDocument } from '../snapshots/compile-lines.ts'
import { lifecycleSettings } from '../lifecycle/lifecycle-store.ts'
import { readWorkspaceSettings } from '../workspaces/workspace-settings.ts'

export interface VersionSource {
  readonly api: string
  readonly version: string
  readonly settings: JsonObject
  /** The OpenAPI document; undefined when all routes are by hand. */
  readonly spec: string | undefined
  /** Where it stands in its life, as a configuration says it; undefined: it is served as it is written. */
  readonly lifecycle?: JsonObject | undefined
}

/** Any name does that the texts are found by; it ends in `.json` because JSON is read faster. */
const SPEC = 'openapi.json'

/** Checks a draft; refuses with everything that is wrong with it. Secrets are still references. */
export function checkVersion(control: Control, source: VersionSource): Snapshot {
  return checkDocument(control, { apis: [toApi(source)] }, textsOf(source))
}

/** The version with its secrets and the policies of its workspace. */
export async function compileVersion(
  db: Kysely<Tables>,
  control: Control,
  workspace: WorkspaceRef,
  source: VersionSource,
): Promise<Snapshot> {
  const { policies } = await readWorkspaceSettings(db, workspace)
  const lifecycle = await lifecycleSettings(db, workspace, source)
  const apis = [toApi({ ...source, lifecycle })]
  return compileDocument(db, control, workspace, { policies, apis }, textsOf(source))
}

function toApi({ api, version, settings, spec, lifecycle }: VersionSource): JsonObject {
  const { name: _, ...rest } = settings
  const apart = { ...(spec === undefined ? {} : { spec: SPEC }), ...(lifecycle === undefined ? {} : { lifecycle }) }
  return { ...rest, name: api, version, ...apart }
}

function textsOf({ spec }: VersionSource): ReadonlyMap<string, string> {
  return new Map(spec === undefined ? [] : [[SPEC, spec]])
}
