/** A version's settings and document to its part of a snapshot: in the draft's checks and when a revision is deployed. */
import type { Kysely } from 'kysely'
import type { JsonObject } from '../../kernel/json.ts'
import type { SnapshotContent } from '../../kernel/snapshot.ts'
import type { Tables } from '../../db/tables.ts'
import type { Control } from '../control.ts'
import type { Call, WorkspaceRef } from '../define-route.ts'
import type { RoutePolicies } from '../documents/check-part.ts'
import { countRoutes, findPolicies } from '../documents/check-within-bounds.ts'
import { readPolicyLists } from '../policies/policy-list-store.ts'
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

/** Checks a draft, and says how many routes it has; refuses with everything that is wrong with it. Secrets are still references. */
export async function checkVersion(call: Pick<Call, 'control' | 'workspace'>, source: VersionSource): Promise<number> {
  const [count] = await countRoutes(call, { apis: [toApi(source)] }, textsOf(source))
  return count?.routes ?? 0
}

/** As `checkVersion`, in this process: in a transaction stand queries alone. */
export function checkVersionAtOnce(control: Control, source: VersionSource): void {
  checkDocument(control, { apis: [toApi(source)] }, textsOf(source))
}

/** The version with its secrets and the policies of its workspace. */
export async function compileVersion(
  db: Kysely<Tables>,
  control: Control,
  workspace: WorkspaceRef,
  source: VersionSource,
): Promise<SnapshotContent> {
  return compileDocument(db, control, workspace, await toWhole(db, workspace, source), textsOf(source))
}

/** What runs for a route of the version, with the secrets as references and names as the workspace has them: for people to read. */
export async function describeRoute(
  { control, workspace, db }: Pick<Call, 'control' | 'workspace' | 'db'>,
  source: VersionSource,
  route: string,
): Promise<RoutePolicies | undefined> {
  return findPolicies({ control, workspace }, await toWhole(db, workspace, source), textsOf(source), route)
}

/** The version with everything that its workspace and its state bring to it. */
async function toWhole(db: Kysely<Tables>, workspace: WorkspaceRef, source: VersionSource): Promise<JsonObject> {
  const { policies } = await readWorkspaceSettings(db, workspace)
  const policyLists = await readPolicyLists(db, workspace, source.api)
  const lifecycle = await lifecycleSettings(db, workspace, source)
  return { policies, policyLists, apis: [toApi({ ...source, lifecycle })] }
}

function toApi({ api, version, settings, spec, lifecycle }: VersionSource): JsonObject {
  const { name: _, ...rest } = settings
  const apart = { ...(spec === undefined ? {} : { spec: SPEC }), ...(lifecycle === undefined ? {} : { lifecycle }) }
  return { ...rest, name: api, version, ...apart }
}

function textsOf({ spec }: VersionSource): ReadonlyMap<string, string> {
  return new Map(spec === undefined ? [] : [[SPEC, spec]])
}
