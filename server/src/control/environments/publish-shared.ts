/** Fills the snapshot of a new environment with what is for all environments. */
import { keyChunks } from '../../db/chunks.ts'
import type { Call, Write } from '../define-route.ts'
import { collections } from '../collections.ts'
import { publishLines } from '../snapshots/publish-lines.ts'
import { compileResources } from '../snapshots/publish-resources.ts'

export async function publishShared(
  { control }: Pick<Call, 'control'>,
  write: Write,
  environment: string,
): Promise<void> {
  const workspaces = await write.db.selectFrom('workspaces').select(['id', 'name']).execute()
  for (const { kind, part } of collections) {
    if (part === undefined) continue
    for (const workspace of workspaces) {
      const rows = await write.db
        .selectFrom('resources')
        .selectAll()
        .where('workspace_id', '=', workspace.id)
        .where('kind', '=', kind)
        .where('environment', '=', '')
        .execute()
      for (const some of keyChunks(rows)) {
        const compiled = await compileResources({ control, workspace, write }, part, some)
        await publishLines(write, environment, { removed: [], lines: [...compiled.values()].flat() })
      }
    }
  }
}
