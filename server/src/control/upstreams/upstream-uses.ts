/** Who calls an upstream: one that is gone would leave the routes of a live version with nothing to call. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { WorkspaceRef } from '../define-route.ts'
import { listEnvironmentNames } from '../environments/environment-names.ts'
import { inUse } from '../problems.ts'
import { findResource, type Resource } from '../resources/resource-store.ts'
import { toSnapshotName } from '../snapshots/snapshot-names.ts'

/** Refuses when it was removed from an environment in which something that is published calls it. */
export async function refuseUsed(db: Kysely<Tables>, workspace: WorkspaceRef, removed: Resource): Promise<void> {
  const { environment, name } = removed
  const shelf = { workspaceId: workspace.id, kind: 'upstream', parentId: '' }
  const general = await findResource(db, shelf, name)
  if (general !== undefined) return
  for (const each of environment === '' ? await listEnvironmentNames(db) : [environment]) {
    if (environment === '' && (await findResource(db, shelf, name, each)) !== undefined) continue
    const route = await findRoute(db, each, toSnapshotName(workspace.name, name))
    if (route !== undefined) refuse(inUse({ detail: `The route ${route} calls it, which is live in ${each}.` }))
  }
}

/** The id of a route that was published with the upstream. */
async function findRoute(db: Kysely<Tables>, environment: string, name: string): Promise<string | undefined> {
  const mention = `"upstream":${JSON.stringify(name)}`
  const lines = await db
    .selectFrom('snapshot_lines')
    .select(['key', 'line'])
    .where('environment', '=', environment)
    .where('key', 'like', 'routes/%')
    // `LIKE` narrows: to it `_` is any character.
    .where('line', 'like', `%${mention}%`)
    .orderBy('key')
    .execute()
  return lines.find(({ line }) => line.includes(mention))?.key.slice('routes/'.length)
}
