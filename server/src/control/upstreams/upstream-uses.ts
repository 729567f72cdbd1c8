/** Who calls an upstream: one that is gone would leave the routes of a live version with nothing to call. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import type { WorkspaceRef } from '../define-route.ts'
import { listEnvironmentNames } from '../environments/environment-names.ts'
import { findResource, type Resource } from '../resources/resource-store.ts'
import { toSnapshotName } from '../snapshots/snapshot-names.ts'

/** What calls an upstream where no other of its name would take its place, in words. */
export async function findCaller(
  db: Kysely<Tables>,
  workspace: WorkspaceRef,
  { id, environment, name }: Resource,
): Promise<string | undefined> {
  const shelf = { workspaceId: workspace.id, kind: 'upstream', parentId: '' }
  for (const each of environment === '' ? await listEnvironmentNames(db) : [environment]) {
    const [own, general] = [await findResource(db, shelf, name, each), await findResource(db, shelf, name)]
    if ([own, general].some((other) => other !== undefined && other.id !== id)) continue
    const route = await findRoute(db, each, toSnapshotName(workspace.name, name))
    if (route !== undefined) return `The route ${route} calls it, which is live in ${each}.`
  }
  return undefined
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
