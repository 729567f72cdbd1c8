/** Documents of an apply: imported, and reviewed version by version, before the transaction that publishes them. */
import type { RouteCount } from '../../config/compile-part.ts'
import type { Call } from '../define-route.ts'
import { importOnce } from '../documents/import-text.ts'
import { reviewDraft, type DraftReview, type ReviewedDraft } from '../documents/review-draft.ts'
import { findResource } from '../resources/resource-store.ts'
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
  for (const { document, versions } of apis) {
    for (const { name, spec } of versions) {
      const key = toVersionKey(nameOf(document), name)
      const versionId = await findVersionId(call, nameOf(document), name)
      reviews.set(key, await reviewDraft(call, { versionId, spec, routes: routes.get(key) ?? 0, allowBreaking }))
    }
  }
  return reviews
}

async function findVersionId({ db, workspace }: Reviewing, api: string, version: string): Promise<string | undefined> {
  const found = await findResource(db, { workspaceId: workspace.id, kind: 'api', parentId: '' }, api)
  if (found === undefined) return undefined
  return (await findResource(db, { workspaceId: workspace.id, kind: 'version', parentId: found.id }, version))?.id
}

/** No name has a space in it. */
export function toVersionKey(api: string, version: string): string {
  return `${api} ${version}`
}
