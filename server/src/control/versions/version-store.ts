/** Versions of APIs in the store: their drafts, and the OpenAPI documents that these name by hash. */
import { hash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { WorkspaceRef } from '../define-route.ts'
import { notFound } from '../problems.ts'
import { getResource, type Resource } from '../resources/resource-store.ts'
import { documentOf } from '../resources/resource-view.ts'

/** A draft: the settings, and the hash of the OpenAPI document when there is one. */
export interface VersionDraft {
  readonly settings: JsonObject
  readonly specHash: string | undefined
}

export interface VersionRow {
  readonly api: Resource
  readonly row: Resource
}

/** The version of an API; refuses with 404. */
export async function getVersion(
  db: Kysely<Tables>,
  workspace: WorkspaceRef,
  { api: apiName, version }: { readonly api: string; readonly version: string },
): Promise<VersionRow> {
  const api = await getResource(db, { workspaceId: workspace.id, kind: 'api', parentId: '' }, apiName)
  const row = await getResource(db, { workspaceId: workspace.id, kind: 'version', parentId: api.id }, version)
  return { api, row }
}

export function draftOf(row: Resource): VersionDraft {
  const { settings, specHash } = documentOf(row)
  if (!isJsonObject(settings)) throw new TypeError(`the version ${row.id} has no settings`)
  return { settings, specHash: typeof specHash === 'string' ? specHash : undefined }
}

/** Refuses with 404 what went with its version: a deployment of that may still be known. */
export async function readBlob(db: Kysely<Tables>, key: string): Promise<string> {
  const row = await db.selectFrom('blobs').select('content').where('hash', '=', key).executeTakeFirst()
  if (row !== undefined) return row.content
  return refuse(notFound({ detail: 'Its OpenAPI document is gone: the version that it was published of was removed.' }))
}

/** The name under which a text is kept. */
export function hashBlob(content: string): string {
  return hash('sha256', content)
}
