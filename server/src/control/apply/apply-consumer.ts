/** Applies a consumer with its keys and subscriptions, which are things of their own in the control plane. */
import { may } from '../actor.ts'
import { consumers } from '../consumers/consumers.ts'
import { consumerPart } from '../consumers/consumer-part.ts'
import { refuse } from '../control-error.ts'
import { invalid, taken } from '../problems.ts'
import { findResource, type Resource } from '../resources/resource-store.ts'
import { publishResource } from '../snapshots/publish-resource.ts'
import { plansOf, type Subscription, type SubscriptionState } from '../subscriptions/subscription-store.ts'
import { tell, type ApplyContext } from './apply-context.ts'
import { applyResource } from './apply-resources.ts'
import type { DesiredConsumer, DesiredKey } from './desired-state.ts'

export async function applyConsumer(context: ApplyContext, desired: DesiredConsumer): Promise<void> {
  const { call, write } = context
  const row = await applyResource(context, consumers, desired.document)
  const hasKeys = await applyKeys(context, row, desired.keys)
  const hasSubscriptions = await applySubscriptions(context, row, desired)
  if (!hasKeys && !hasSubscriptions) return
  const { control, workspace } = call
  await publishResource({ control, workspace, write, before: row, after: row }, consumerPart)
}

/** Whether anything changed. Of the keys that the document does not name those go that the same source applied. */
async function applyKeys(context: ApplyContext, row: Resource, keys: readonly DesiredKey[]): Promise<boolean> {
  const { call, write, source } = context
  const nowMs = call.control.clock.now()
  const known = await write.db.selectFrom('credentials').selectAll().where('consumer_id', '=', row.id).execute()
  let hasChanged = false
  for (const key of keys) {
    const before = known.find(({ name }) => name === key.name)
    if (before?.hash === key.hash && before.expires_at_ms === key.expiresAtMs && before.revoked_at_ms === null) continue
    hasChanged = true
    await refuseForeignKey(context, key, before?.id, `${row.name}/${key.name}`)
    const changes = {
      hash: key.hash,
      expires_at_ms: key.expiresAtMs,
      revoked_at_ms: null,
      source,
      updated_at_ms: nowMs,
    }
    if (before === undefined) {
      const id = call.control.newId('credential')
      const facts = { id, workspace_id: call.workspace.id, consumer_id: row.id, name: key.name, prefix: '' }
      await write.db
        .insertInto('credentials')
        .values({ ...facts, ...changes, version: 1, created_at_ms: nowMs })
        .execute()
    } else {
      await write.db
        .updateTable('credentials')
        .set({ ...changes, version: before.version + 1 })
        .where('id', '=', before.id)
        .execute()
    }
    tell(context, 'credential', `${row.name}/${key.name}`, before === undefined ? 'created' : 'changed')
    write.note({ kind: 'credential', id: before?.id ?? key.name, name: `${row.name}/${key.name}` })
  }
  // What people made, such as a key that replaces another, is not the file's to take away.
  const own = known.filter((each) => each.source === source)
  for (const { id, name } of own.filter((each) => !keys.some((key) => key.name === each.name))) {
    await write.db.deleteFrom('credentials').where('id', '=', id).execute()
    tell(context, 'credential', `${row.name}/${name}`, 'removed')
    write.note({ kind: 'credential', id, name: `${row.name}/${name}` })
    hasChanged = true
  }
  return hasChanged
}

/** A key says who calls, so it can belong to one consumer in one environment only. */
async function refuseForeignKey(
  { call, write }: ApplyContext,
  { hash }: DesiredKey,
  ownId: string | undefined,
  name: string,
): Promise<void> {
  const other = await write.db
    .selectFrom('credentials')
    .select('id')
    .where('workspace_id', '=', call.workspace.id)
    .where('hash', '=', hash)
    .executeTakeFirst()
  if (other === undefined || other.id === ownId) return
  const detail = `The key ${name} belongs to another consumer already, or to this one in another environment.`
  refuse(taken({ detail }))
}

async function applySubscriptions(
  context: ApplyContext,
  row: Resource,
  { subscriptions }: DesiredConsumer,
): Promise<boolean> {
  const { call, write, source } = context
  const nowMs = call.control.clock.now()
  const known = await write.db.selectFrom('subscriptions').selectAll().where('consumer_id', '=', row.id).execute()
  const kept = new Set<string>()
  let hasChanged = false
  for (const { product, plan } of subscriptions) {
    const shelf = { workspaceId: call.workspace.id, kind: 'product', parentId: '' }
    const found = await findResource(write.db, shelf, product)
    if (found === undefined) {
      return refuse(invalid({ detail: `${row.name} subscribes to ${JSON.stringify(product)}, which is no product.` }))
    }
    kept.add(found.id)
    const before = known.find((each) => each.product_id === found.id)
    const state = nextState(context, found, plan, before)
    if (before?.plan === plan && before.state === state) continue
    hasChanged = true
    const name = `${row.name}/${product}`
    const id = before?.id ?? call.control.newId('subscription')
    if (before === undefined) {
      const facts = { id, workspace_id: call.workspace.id, consumer_id: row.id, product_id: found.id, plan }
      await write.db
        .insertInto('subscriptions')
        .values({ ...facts, state, source, version: 1, created_at_ms: nowMs, updated_at_ms: nowMs })
        .execute()
    } else {
      await write.db
        .updateTable('subscriptions')
        .set({ plan, state, source, version: before.version + 1, updated_at_ms: nowMs })
        .where('id', '=', id)
        .execute()
    }
    tell(context, 'subscription', name, before === undefined ? 'created' : 'changed')
    write.note({ kind: 'subscription', id, name, after: { plan, state } })
  }
  // One that somebody asked for, pending or not, is not the file's to take away.
  for (const { id } of known.filter((each) => each.source === source && !kept.has(each.product_id))) {
    await write.db.deleteFrom('subscriptions').where('id', '=', id).execute()
    tell(context, 'subscription', `${row.name}/${id}`, 'removed')
    write.note({ kind: 'subscription', id, name: row.name })
    hasChanged = true
  }
  return hasChanged
}

/** A file speaks for whoever applies it: without the right to approve it only asks. */
function nextState(
  { call: { actor, workspace } }: ApplyContext,
  product: Resource,
  plan: string,
  before: Subscription | undefined,
): SubscriptionState {
  // Whoever suspended it did so on purpose; a file says nothing about that.
  if (before?.state === 'suspended') return 'suspended'
  const isApproved = before?.state === 'active' && before.plan === plan
  const asks = plansOf(product).find(({ name }) => name === plan)?.approval === true
  return asks && !isApproved && !may(actor, 'subscriptions.approve', workspace.id) ? 'pending' : 'active'
}
