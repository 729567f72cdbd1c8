/** Whether the upstreams that a revision calls are there for an environment. */
import { defineProblem } from '../../kernel/problem.ts'
import type { SnapshotContent } from '../../kernel/snapshot.ts'
import { refuse } from '../control-error.ts'
import type { WorkspaceRef, Write } from '../define-route.ts'
import { toSnapshotName } from '../snapshots/snapshot-names.ts'

export const missingUpstream = defineProblem({
  code: 'deployment.missing_upstream',
  status: 422,
  title: 'An upstream is missing',
  blame: 'caller',
  remedy: 'Create the upstream for the environment, or name another one.',
})

/** Refuses what names an upstream that is not there for the environment. */
export async function checkUpstreams(
  db: Write['db'],
  {
    workspace,
    environment,
    compiled,
  }: { readonly workspace: WorkspaceRef; readonly environment: string; readonly compiled: SnapshotContent },
): Promise<void> {
  const names = new Set(compiled.routes.flatMap(({ upstream }) => (upstream === undefined ? [] : [upstream])))
  if (names.size === 0) return
  const rows = await db
    .selectFrom('resources')
    .select('name')
    .where('workspace_id', '=', workspace.id)
    .where('kind', '=', 'upstream')
    .where('environment', 'in', ['', environment])
    .execute()
  const known = new Set(rows.map(({ name }) => toSnapshotName(workspace.name, name)))
  const missing = [...names].find((name) => !known.has(name))
  if (missing !== undefined) refuse(missingUpstream({ detail: `There is no upstream ${missing} for ${environment}.` }))
}
