/** Applies things that are documents: upstreams, products, consumers, the APIs themselves. */
import type { JsonObject } from '../../kernel/json.ts'
import { dropResource, putResource, toSecretOwner, type CollectionDefinition } from '../resources/define-collection.ts'
import { findResource, type Resource, type Shelf } from '../resources/resource-store.ts'
import { documentOf } from '../resources/resource-view.ts'
import { asCall, tell, type ApplyContext } from './apply-context.ts'
import { permitRemoval } from './apply-permissions.ts'
import { nameOf } from './desired-state.ts'
import { isSame, listChanges } from './document-changes.ts'
import { extractSecrets } from '../resources/secret-references.ts'
import { isKnownSecret } from '../secrets/secret-values.ts'

/**
 * Makes one thing as the document says. One for all environments that says the same already is left alone; where it
 * says something else, this environment gets its own.
 */
export async function applyResource(
  context: ApplyContext,
  collection: CollectionDefinition,
  document: JsonObject,
): Promise<Resource> {
  const { call, write, source } = context
  const name = nameOf(document)
  const shelf: Shelf = { workspaceId: call.workspace.id, kind: collection.kind, parentId: '' }
  const environment = collection.perEnvironment ? context.environment : ''
  const own = await findResource(write.db, shelf, name, environment)
  const general = own ?? (environment === '' ? undefined : await findResource(write.db, shelf, name))
  const { document: wanted, secrets } = extractSecrets(
    document,
    collection.schema,
    call.control.policies,
    toSecretOwner(collection, name, environment),
  )
  const before = general === undefined ? undefined : documentOf(general)
  let hasNewSecret = false
  for (const secret of secrets) hasNewSecret ||= !(await isKnownSecret(write.db, call.control, call.workspace, secret))
  if (general !== undefined && isSame(before, wanted) && !hasNewSecret && (own?.source ?? source) === source) {
    tell(context, collection.kind, name, 'unchanged')
    return general
  }
  const row = await putResource(collection, { call: asCall(context), write, environment, document, row: own, source })
  const action = general === undefined ? 'created' : 'changed'
  // Else it would be a change in which nothing changes.
  const taken = own === undefined || own.source === source ? undefined : `"${source}" manages it from now on`
  tell(context, collection.kind, name, action, listChanges(before, documentOf(row)), taken)
  return row
}

/** Removes what the source applied to this environment before and no longer names. */
export async function pruneResources(
  context: ApplyContext,
  collection: CollectionDefinition,
  kept: ReadonlySet<string>,
): Promise<void> {
  const { call, write, source } = context
  const rows = await write.db
    .selectFrom('resources')
    .selectAll()
    .where('workspace_id', '=', call.workspace.id)
    .where('kind', '=', collection.kind)
    .where('parent_id', '=', '')
    .where('source', '=', source)
    .where('environment', '=', collection.perEnvironment ? context.environment : '')
    .orderBy('name')
    .execute()
  for (const row of rows) {
    if (kept.has(row.name)) continue
    permitRemoval(context, `${collection.permissions}.write`, collection.title)
    await dropResource(collection, { call: asCall(context), write, row })
    tell(context, collection.kind, row.name, 'removed')
  }
}
