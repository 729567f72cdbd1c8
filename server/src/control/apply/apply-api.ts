/** Applies an API with its versions: drafts, revisions, and their deployment to the environment. */
import { apis } from '../apis/apis.ts'
import { deploy, undeploy } from '../deployments/deploy.ts'
import { findActive, LIVE_STATES } from '../deployments/deployment-store.ts'
import { publishRevision, sourceOf, type Revision } from '../revisions/revision-store.ts'
import { findResource, removeResource, type Resource } from '../resources/resource-store.ts'
import { toResourceNote } from '../resources/resource-view.ts'
import { isKnownSecret } from '../secrets/secret-values.ts'
import { compileVersion } from '../versions/compile-version.ts'
import { extractDraftSecrets } from '../versions/draft-secrets.ts'
import { insertVersion, updateVersion, type DraftParts } from '../versions/version-drafts.ts'
import { draftOf, hashBlob } from '../versions/version-store.ts'
import { asCall, tell, type ApplyContext } from './apply-context.ts'
import { applyLifecycle } from './apply-lifecycle.ts'
import { permitRemoval } from './apply-permissions.ts'
import { toVersionKey } from './review-desired.ts'
import { applyResource } from './apply-resources.ts'
import type { DesiredApi, DesiredVersion } from './desired-state.ts'
import { isSame, listChanges } from './document-changes.ts'

export async function applyApi(context: ApplyContext, desired: DesiredApi): Promise<void> {
  const api = await applyResource(context, apis, desired.document)
  for (const each of desired.versions) await applyVersion(context, api, each)
}

async function applyVersion(context: ApplyContext, api: Resource, desired: DesiredVersion): Promise<void> {
  const { call, write, environment, source } = context
  const shelf = { workspaceId: call.workspace.id, kind: 'version', parentId: api.id }
  const before = await findResource(write.db, shelf, desired.name)
  const parts = { call: asCall(context), write, api, source, draft: { ...desired, keepsSpec: false } }
  const isUnchanged = before !== undefined && (await isSameDraft(parts, before))
  let row: Resource
  if (before === undefined) row = await insertVersion(parts)
  else row = isUnchanged && before.source === source ? before : await updateVersion(parts, before)
  const name = `${api.name} ${desired.name}`
  const action = before === undefined ? 'created' : isUnchanged ? 'unchanged' : 'changed'
  const draftBefore = before === undefined ? undefined : toDocument(before)
  tell(context, 'version', name, action, listChanges(draftBefore, toDocument(row)))
  const revision = await publish(context, api, row)
  await applyLifecycle(context, { api, row }, desired.lifecycle)
  const active = await findActive(write, row.id, environment)
  if (active?.revision_id === revision.id && isUnchanged) return
  const compiled = await compileVersion(write.db, call.control, call.workspace, await sourceOf(write.db, revision))
  const names = { api: api.name, version: desired.name }
  const reason = `applied by ${source}`
  const { state } = await deploy({ call, write, environment, revision, compiled, ...names, reason })
  tell(
    context,
    'deployment',
    `${name} #${revision.number} in ${environment}${state === 'active' ? '' : ` (${state})`}`,
    active === undefined ? 'created' : 'changed',
  )
}

function toDocument(row: Resource) {
  const { settings, specHash } = draftOf(row)
  return { settings, ...(specHash === undefined ? {} : { specHash }) }
}

async function isSameDraft(parts: DraftParts, row: Resource): Promise<boolean> {
  const { call, write, draft } = parts
  const { settings, specHash } = draftOf(row)
  const { document, secrets } = await extractDraftSecrets(parts, row)
  // One that somebody removed is written again.
  for (const secret of secrets) if (!(await isKnownSecret(write.db, call.control, call.workspace, secret))) return false
  const { spec } = draft
  return isSame(settings, document) && specHash === (spec === undefined ? undefined : hashBlob(spec))
}

async function publish(context: ApplyContext, api: Resource, version: Resource): Promise<Revision> {
  const { call, write, reviews } = context
  const { control, actor } = call
  const review = reviews.get(toVersionKey(api.name, version.name))
  if (review === undefined) throw new Error(`nobody reviewed ${api.name} ${version.name}`)
  const nowMs = control.clock.now()
  const id = control.newId('revision')
  const { revision, isNew } = await publishRevision(write.db, { id, api, version, review, nowMs, by: actor.id })
  const reason = review.reason === undefined ? {} : { after: { allowBreaking: review.reason } }
  if (isNew) write.note({ kind: 'revision', id, name: `${api.name} ${version.name} #${revision.number}`, ...reason })
  return revision
}

/** Takes versions out that the source applied before and no longer names, then APIs that are empty by that. */
export async function pruneVersions(context: ApplyContext, kept: ReadonlySet<string>): Promise<void> {
  const { call, write, environment, source } = context
  const rows = await write.db
    .selectFrom('resources')
    .innerJoin('resources as apis', 'apis.id', 'resources.parent_id')
    .selectAll('resources')
    .select('apis.name as api')
    .where('resources.workspace_id', '=', call.workspace.id)
    .where('resources.kind', '=', 'version')
    .where('resources.source', '=', source)
    .execute()
  for (const { api, ...row } of rows) {
    if (kept.has(`${api} ${row.name}`)) continue
    const active = await findActive(write, row.id, environment)
    if (active !== undefined) {
      permitRemoval(context, 'deployments.write', 'a live version')
      await undeploy(call, write, active, { api, version: row.name })
      tell(context, 'deployment', `${api} ${row.name} in ${environment}`, 'removed')
    }
    if (await isLiveElsewhere(context, row)) continue
    permitRemoval(context, 'apis.write', 'a version')
    await removeResource(write.db, row, undefined)
    write.note(toResourceNote(row, undefined))
    tell(context, 'version', `${api} ${row.name}`, 'removed')
  }
}

async function isLiveElsewhere({ write }: ApplyContext, { id }: Resource): Promise<boolean> {
  const live = await write.db
    .selectFrom('deployments')
    .select('id')
    .where('version_id', '=', id)
    .where('state', 'in', LIVE_STATES)
    .executeTakeFirst()
  return live !== undefined
}
