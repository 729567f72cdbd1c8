/**
 * Compiles a revision before the transaction that deploys it, since that may take long. What it is compiled with may
 * change meanwhile: the workspace's policies and policy lists, secrets, where the version stands in its life. What then
 * went live would lack a protection that somebody believes to be in place, so it is compiled anew in the transaction.
 */
import type { Kysely } from 'kysely'
import type { SnapshotContent } from '../../kernel/snapshot.ts'
import type { Tables } from '../../db/tables.ts'
import type { Call, WorkspaceRef, Write } from '../define-route.ts'
import { sourceOf, type Revision } from '../revisions/revision-store.ts'
import { compileVersion, type VersionSource } from './compile-version.ts'

export interface CompiledAhead {
  readonly source: VersionSource
  /** What the revision is compiled to as of the transaction. */
  asOf(write: Pick<Write, 'db'>): Promise<SnapshotContent>
}

export async function compileAhead(
  { db, control, workspace }: Pick<Call, 'db' | 'control' | 'workspace'>,
  revision: Revision,
): Promise<CompiledAhead> {
  // Before everything that is compiled: a change in between makes it look older than it is, and never newer.
  const stamp = await readStamp(db, workspace, revision.version_id)
  const source = await sourceOf(db, revision)
  const compiled = await compileVersion(db, control, workspace, source)
  return {
    source,
    async asOf(write) {
      const isSame = (await readStamp(write.db, workspace, revision.version_id)) === stamp
      return isSame ? compiled : compileVersion(write.db, control, workspace, source)
    },
  }
}

/** The versions of all that a revision is compiled with besides itself; two are equal only when nothing changed. */
async function readStamp(db: Kysely<Tables>, { id }: WorkspaceRef, versionId: string): Promise<string> {
  const workspace = await db.selectFrom('workspaces').select('version').where('id', '=', id).executeTakeFirstOrThrow()
  const lifecycle = await db
    .selectFrom('lifecycles')
    .select('version')
    .where('version_id', '=', versionId)
    .executeTakeFirst()
  const parts = await db
    .selectFrom('resources')
    .select(['id', 'version'])
    .where('workspace_id', '=', id)
    .where('kind', 'in', ['policy-list', 'secret'])
    .orderBy('id')
    .execute()
  return JSON.stringify([workspace.version, lifecycle?.version, parts.map((row) => [row.id, row.version])])
}
