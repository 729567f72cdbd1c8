/** Compiles what is live anew, when something that it is compiled with has changed: the workspace's policies, a secret. */
import type { SnapshotContent } from '../../kernel/snapshot.ts'
import type { Call, Write } from '../define-route.ts'
import { sourceOf, type Revision } from '../revisions/revision-store.ts'
import { compileVersion } from '../versions/compile-version.ts'
import { checkUpstreams } from './check-upstreams.ts'
import { LIVE_STATES } from './deployment-store.ts'
import { republishPart, toPart } from './version-lines.ts'

type Caller = Pick<Call, 'control' | 'workspace'>
type LiveRevision = Revision & { readonly environment: string; readonly deployment: string }

/** All live deployments of the call's workspace; those whose revision mentions `mention` when it is given. */
export async function redeployWorkspace(call: Caller, write: Write, mention?: string): Promise<void> {
  for (const live of await selectLive(call, write).execute()) {
    if (mention === undefined || live.content.includes(mention)) await recompile(call, write, live)
  }
}

/** All live deployments of one version; refuses when one lacks an upstream that it needs by now. */
export async function redeployVersion(call: Caller, write: Write, versionId: string): Promise<void> {
  for (const live of await selectLive(call, write).where('deployments.version_id', '=', versionId).execute()) {
    const compiled = await recompile(call, write, live)
    await checkUpstreams(write.db, { workspace: call.workspace, environment: live.environment, compiled })
  }
}

/** All live deployments of the APIs of these names; of all when none are given. */
export async function redeployApis(call: Caller, write: Write, names: ReadonlySet<string> | undefined): Promise<void> {
  const all = selectLive(call, write)
  if (names?.size === 0) return
  const meant =
    names === undefined
      ? all
      : all.innerJoin('resources as apis', 'apis.id', 'deployments.api_id').where('apis.name', 'in', [...names])
  for (const live of await meant.execute()) await recompile(call, write, live)
}

function selectLive({ workspace }: Caller, { db }: Write) {
  return db
    .selectFrom('deployments')
    .innerJoin('revisions', 'revisions.id', 'deployments.revision_id')
    .selectAll('revisions')
    .select(['deployments.environment', 'deployments.id as deployment'])
    .where('deployments.workspace_id', '=', workspace.id)
    .where('deployments.state', 'in', LIVE_STATES)
}

async function recompile(
  { control, workspace }: Caller,
  write: Write,
  { environment, deployment, ...revision }: LiveRevision,
): Promise<SnapshotContent> {
  const source = await sourceOf(write.db, revision)
  const compiled = await compileVersion(write.db, control, workspace, source)
  const { api, version } = source
  const place = { environment, workspace, versionId: revision.version_id, api, version }
  await republishPart(write, place, deployment, toPart(compiled))
  return compiled
}
