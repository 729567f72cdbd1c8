/** Policy lists of a workspace in the store. */
import type { Kysely } from 'kysely'
import { policyList, type PolicyListSettings } from '../../config/schema/policy-list.ts'
import { compareLists, holdsFor } from '../../config/shared-lists.ts'
import type { JsonObject } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { WorkspaceRef } from '../define-route.ts'
import { invalid } from '../problems.ts'
import type { Resource } from '../resources/resource-store.ts'
import { documentOf } from '../resources/resource-view.ts'

/** The lists that hold for an API, in the order in which they run, secrets as references. */
export async function readPolicyLists(
  db: Kysely<Tables>,
  workspace: WorkspaceRef,
  api: string,
): Promise<readonly JsonObject[]> {
  const rows = await selectLists(db, workspace.id).execute()
  return rows
    .map((row) => ({ settings: toSettings(row), document: documentOf(row) }))
    .filter(({ settings }) => holdsFor(settings, api))
    .toSorted((a, b) => compareLists(a.settings, b.settings))
    .map(({ document }) => document)
}

/** A list that names an API which is not there would have no effect. */
export async function checkListedApis(
  db: Kysely<Tables>,
  workspace: WorkspaceRef,
  document: JsonObject,
): Promise<void> {
  const { apis } = policyList.parse(document)
  if (apis.length === 0) return
  const rows = await db
    .selectFrom('resources')
    .select('name')
    .where('workspace_id', '=', workspace.id)
    .where('kind', '=', 'api')
    .where('name', 'in', apis)
    .execute()
  const missing = apis.findIndex((api) => !rows.some(({ name }) => name === api))
  if (missing === -1) return
  const detail = `there is no API ${JSON.stringify(apis[missing])}`
  refuse(invalid({ detail, errors: [{ pointer: `/apis/${missing}`, detail }] }))
}

export function selectLists(db: Kysely<Tables>, workspaceId: string) {
  return db
    .selectFrom('resources')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('kind', '=', 'policy-list')
    .orderBy('name')
}

export function toSettings(row: Resource): PolicyListSettings {
  return policyList.parse(documentOf(row))
}
