/** Documents of an apply: imported, and reviewed version by version, before the transaction that publishes them. */
import type { RouteCount } from '../../config/compile-part.ts'
import { findInChunks } from '../../db/chunks.ts'
import type { Call } from '../define-route.ts'
import { importOnce } from '../documents/import-text.ts'
import { reviewDraft, type DraftReview, type ReviewedDraft } from '../documents/review-draft.ts'
import { nameOf, toTextName, type DesiredState } from './desired-state.ts'

type Reviewing = Pick<Call, 'control' | 'db' | 'workspace'>

/** The documents as they are kept, by the name under which the configuration names them. */
export async function importFiles(
  call: Reviewing,
  files: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  for (const [name, text] of Object.entries(files)) texts.set(toTextName(name), await importOnce(call, text))
  return texts
}

export async function reviewDesired(
  call: Reviewing,
  { apis }: DesiredState,
  counts: readonly RouteCount[],
  allowBreaking: ReviewedDraft['allowBreaking'],
): Promise<ReadonlyMap<string, DraftReview>> {
  const routes = new Map(counts.map((count) => [toVersionKey(count.api, count.version), count.routes]))
  const reviews = new Map<string, DraftReview>()
  const versionIds = await findVersionIds(call, apis)
  for (const { document, versions } of apis) {
    for (const { name, spec } of versions) {
      const key = toVersionKey(nameOf(document), name)
      const facts = { versionId: versionIds.get(key), spec, routes: routes.get(key) ?? 0 }
      reviews.set(key, await reviewDraft(call, { ...facts, allowBreaking }))
    }
  }
  return reviews
}

/** Of all versions of these APIs, by `toVersionKey`. */
async function findVersionIds(
  { db, workspace }: Reviewing,
  apis: DesiredState['apis'],
): Promise<ReadonlyMap<string, string>> {
  const names = apis.map(({ document }) => nameOf(document))
  const rows = await findInChunks(names, (some) =>
    db
      .selectFrom('resources as apis')
      .innerJoin('resources as versions', 'versions.parent_id', 'apis.id')
      .select(['apis.name as api', 'versions.name as version', 'versions.id'])
      .where('apis.workspace_id', '=', workspace.id)
      .where('apis.kind', '=', 'api')
      .where('apis.name', 'in', some)
      .where('versions.kind', '=', 'version')
      .execute(),
  )
  return new Map(rows.map(({ api, version, id }) => [toVersionKey(api, version), id]))
}

/** No name has a space in it. */
export function toVersionKey(api: string, version: string): string {
  return `${api} ${version}`
}
