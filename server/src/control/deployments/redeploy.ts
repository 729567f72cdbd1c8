/** Compiles what is live anew, when something that it is compiled with has changed: the workspace's policies, a secret. */
import type { Call, Write } from '../define-route.ts'
import { sourceOf } from '../revisions/revision-store.ts'
import { toLines } from '../snapshots/compile-lines.ts'
import { publishLines } from '../snapshots/publish-lines.ts'
import { compileVersion } from '../versions/compile-version.ts'

/** All live deployments of the call's workspace; those whose revision mentions `mention` when it is given. */
export async function redeployWorkspace(
  { control, workspace }: Pick<Call, 'control' | 'workspace'>,
  write: Write,
  mention?: string,
): Promise<void> {
  const live = await write.db
    .selectFrom('deployments')
    .innerJoin('revisions', 'revisions.id', 'deployments.revision_id')
    .selectAll('revisions')
    .select('deployments.environment')
    .where('deployments.workspace_id', '=', workspace.id)
    .where('deployments.state', '=', 'active')
    .execute()
  for (const { environment, ...revision } of live) {
    if (mention !== undefined && !revision.content.includes(mention)) continue
    const compiled = await compileVersion(write.db, control, workspace, await sourceOf(write.db, revision))
    await publishLines(write, environment, { removed: [], lines: toLines(compiled) })
  }
}
