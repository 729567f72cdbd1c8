/** Revisions: what a version was when it was published. They never change, and equal ones are the same one. */
import type { Kysely, Selectable } from 'kysely'
import { toContentHash } from '../../config/canonical-json.ts'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import type { RevisionTable, Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import { notFound, preconditionFailed } from '../problems.ts'
import type { Resource } from '../resources/resource-store.ts'
import type { DraftReview } from '../documents/review-draft.ts'
import { draftOf, readBlob } from '../versions/version-store.ts'
import type { VersionSource } from '../versions/compile-version.ts'

export type Revision = Selectable<RevisionTable>

export interface RevisionContent {
  readonly api: string
  readonly version: string
  readonly settings: JsonObject
  readonly specHash: string | undefined
}

export interface NewRevision {
  readonly id: string
  readonly api: Resource
  readonly version: Resource
  readonly review: DraftReview
  readonly nowMs: number
  readonly by: string
}

/** The revision of the draft as it stands: a new one, or the last one when nothing was changed since. */
export async function publishRevision(
  db: Kysely<Tables>,
  { id, api, version, review, nowMs, by }: NewRevision,
): Promise<{ readonly revision: Revision; readonly isNew: boolean }> {
  const content: RevisionContent = { api: api.name, version: version.name, ...draftOf(version) }
  const contentHash = toContentHash(content)
  const last = await latestRevision(db, version.id)
  if (last?.content_hash === contentHash) return { revision: last, isNew: false }
  // What the review compared with is no longer what it follows.
  if (last?.id !== review.against) refuse(preconditionFailed())
  const revision: Revision = {
    id,
    workspace_id: version.workspace_id,
    api_id: api.id,
    version_id: version.id,
    number: (last?.number ?? 0) + 1,
    content_hash: contentHash,
    content: JSON.stringify(content),
    document_hash: content.specHash ?? '',
    report: JSON.stringify(review.report),
    created_at_ms: nowMs,
    created_by: by,
  }
  await db.insertInto('revisions').values(revision).execute()
  return { revision, isNew: true }
}

export async function latestRevision(db: Kysely<Tables>, versionId: string): Promise<Revision | undefined> {
  return db
    .selectFrom('revisions')
    .selectAll()
    .where('version_id', '=', versionId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** The revision of that number, or the latest; refuses with 404. */
export async function getRevision(
  db: Kysely<Tables>,
  versionId: string,
  number: number | undefined,
): Promise<Revision> {
  const found =
    number === undefined
      ? await latestRevision(db, versionId)
      : await db
          .selectFrom('revisions')
          .selectAll()
          .where('version_id', '=', versionId)
          .where('number', '=', number)
          .executeTakeFirst()
  const detail = number === undefined ? 'The version was never published.' : `There is no revision ${number}.`
  return found ?? refuse(notFound({ detail }))
}

export function contentOf(revision: Pick<Revision, 'id' | 'content'>): RevisionContent {
  const value: unknown = JSON.parse(revision.content)
  if (!isJsonObject(value)) throw new TypeError(`the content of ${revision.id} is no object`)
  const { api, version, settings, specHash } = value
  if (typeof api !== 'string' || typeof version !== 'string' || !isJsonObject(settings)) {
    throw new TypeError(`the content of ${revision.id} is incomplete`)
  }
  return { api, version, settings, specHash: typeof specHash === 'string' ? specHash : undefined }
}

export async function sourceOf(db: Kysely<Tables>, revision: Revision): Promise<VersionSource> {
  const { api, version, settings, specHash } = contentOf(revision)
  return { api, version, settings, spec: specHash === undefined ? undefined : await readBlob(db, specHash) }
}
