/** Brings a resource into the snapshot of every environment that it is for. */
import type { Kysely } from 'kysely'
import type { SnapshotContent } from '../../kernel/snapshot.ts'
import type { Tables } from '../../db/tables.ts'
import { listEnvironmentNames } from '../environments/environment-names.ts'
import type { Change, SnapshotPart } from '../resources/define-collection.ts'
import { findResource, type Resource } from '../resources/resource-store.ts'
import { toLines } from '../../config/snapshot-lines.ts'
import { publishLines } from './publish-lines.ts'
import { toSnapshotName } from './snapshot-names.ts'

/** In each environment the resource for it counts, else the one of the same name for all. */
export async function publishResource(
  { control, workspace, write, before, after }: Change,
  part: SnapshotPart,
): Promise<void> {
  const row = after ?? before
  if (row === undefined) return
  const compiled = new Map<string, SnapshotContent>()
  for (const environment of await concerned(write.db, row)) {
    const shelf = { workspaceId: row.workspace_id, kind: row.kind, parentId: row.parent_id }
    const effective =
      (await findResource(write.db, shelf, row.name, environment)) ?? (await findResource(write.db, shelf, row.name))
    if (effective === undefined) {
      const removed = [`${part.list}/${toSnapshotName(workspace.name, row.name)}`]
      await publishLines(write, environment, { removed, lines: [] })
    } else {
      const compiledPart = compiled.get(effective.id) ?? (await part.compile(write.db, control, workspace, effective))
      compiled.set(effective.id, compiledPart)
      await publishLines(write, environment, { removed: [], lines: toLines(compiledPart) })
    }
  }
}

async function concerned(db: Kysely<Tables>, { environment }: Resource): Promise<string[]> {
  return environment === '' ? listEnvironmentNames(db) : [environment]
}
