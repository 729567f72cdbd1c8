/** Applies things that are documents: upstreams, products, consumers, the APIs themselves. */
import type { JsonObject } from '../../kernel/json.ts'
import { toSecretOwner, type CollectionDefinition } from '../resources/define-collection.ts'
import {
  dropResources,
  planResource,
  publishWritten,
  writePlanned,
  type PlannedResource,
} from '../resources/put-resources.ts'
import { findEffective, type Resource, type Shelf } from '../resources/resource-store.ts'
import { documentOf } from '../resources/resource-view.ts'
import { asCall, tell, type ApplyContext } from './apply-context.ts'
import { permitRemoval } from './apply-permissions.ts'
import { nameOf } from './desired-state.ts'
import { isSame, listChanges } from './document-changes.ts'
import { extractSecrets } from '../resources/secret-references.ts'
import { isKnownSecret } from '../secrets/secret-values.ts'

/** A thing as it is from now on. */
interface AppliedResource {
  readonly row: Resource
  /** Undefined: it says that already. */
  readonly planned: PlannedResource | undefined
}

export async function applyResource(
  context: ApplyContext,
  collection: CollectionDefinition,
  document: JsonObject,
): Promise<Resource> {
  const known = await findApplied(context, collection, [document])
  const { row, planned } = await planApplied(context, collection, known, document)
  if (planned === undefined) return row
  const parts = { call: asCall(context), write: context.write }
  await writePlanned(collection, parts, [planned])
  await publishWritten(collection, parts, [row])
  return row
}

/** What there is of these, by name: for the environment, else for all. */
export function findApplied(
  { call, write, environment }: ApplyContext,
  { kind, perEnvironment }: CollectionDefinition,
  documents: readonly JsonObject[],
): Promise<ReadonlyMap<string, Resource>> {
  const shelf: Shelf = { workspaceId: call.workspace.id, kind, parentId: '' }
  return findEffective(write.db, shelf, documents.map(nameOf), perEnvironment ? environment : '')
}

/**
 * Plans to make one thing as the document says. One for all environments that says the same already is left alone; where
 * it says something else, this environment gets its own.
 */
export async function planApplied(
  context: ApplyContext,
  collection: CollectionDefinition,
  known: ReadonlyMap<string, Resource>,
  document: JsonObject,
): Promise<AppliedResource> {
  const { call, write, source } = context
  const name = nameOf(document)
  const environment = collection.perEnvironment ? context.environment : ''
  const general = known.get(name)
  const own = general?.environment === environment ? general : undefined
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
    return { row: general, planned: undefined }
  }
  const planned = planResource(collection, { call: asCall(context), write, environment, document, row: own, source })
  const action = general === undefined ? 'created' : 'changed'
  // Else it would be a change in which nothing changes.
  const taken = own === undefined || own.source === source ? undefined : `"${source}" manages it from now on`
  tell(context, collection.kind, name, action, listChanges(before, wanted), taken)
  return { row: planned.after, planned }
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
  const gone: Resource[] = []
  for (const row of rows.filter(({ name }) => !kept.has(name))) {
    // What is live may change only when a deployment is approved, or when a secret has its value.
    const held = await collection.heldBy?.(write.db, call.workspace, row)
    if (held === undefined) gone.push(row)
    else tell(context, collection.kind, row.name, 'held-back', [], held)
  }
  if (gone.length === 0) return
  permitRemoval(context, `${collection.permissions}.write`, collection.title)
  await dropResources(collection, { call: asCall(context), write }, gone)
  for (const { name } of gone) tell(context, collection.kind, name, 'removed')
}
