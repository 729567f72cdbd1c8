/** Applies the subscriptions of a consumer. While it is there, no document brings back one that people ended or suspended. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { may } from '../actor.ts'
import { refuse } from '../control-error.ts'
import { invalid } from '../problems.ts'
import { findResource, type Resource } from '../resources/resource-store.ts'
import { ENDED, plansOf, type Subscription, type SubscriptionState } from '../subscriptions/subscription-store.ts'
import { tell, type ApplyContext } from './apply-context.ts'
import type { DesiredConsumer } from './desired-state.ts'

/** Whether anything changed. Of those that the document does not name those go that the same source applied. */
export async function applySubscriptions(
  context: ApplyContext,
  consumer: Resource,
  subscriptions: DesiredConsumer['subscriptions'],
): Promise<boolean> {
  const { call, write, source } = context
  const known = await listKnown(write.db, consumer)
  const own = known.filter(({ consumer_id: id }) => id === consumer.id)
  const stopped = known.filter((each) => isOver(each) || each.state === 'suspended')
  const kept = new Set<string>()
  let hasChanged = false
  for (const { product, plan } of subscriptions) {
    const shelf = { workspaceId: call.workspace.id, kind: 'product', parentId: '' }
    const found = await findResource(write.db, shelf, product)
    if (found === undefined) {
      const detail = `${consumer.name} subscribes to ${JSON.stringify(product)}, which is no product.`
      return refuse(invalid({ detail }))
    }
    kept.add(found.id)
    const ofProduct = ({ product_id: id }: Subscription): boolean => id === found.id
    const before = own.find(ofProduct)
    const last = before ?? stopped.find(ofProduct)
    if (last?.plan === plan && isOver(last)) {
      const reason = `was ${last.state} and stays so until somebody subscribes anew`
      tell(context, 'subscription', `${consumer.name}/${product}`, 'unchanged', [], reason)
      continue
    }
    const state = nextState(context, found, plan, last)
    if (before?.plan === plan && before.state === state) continue
    hasChanged = true
    await save(context, consumer, found, before, { plan, state })
  }
  // One that somebody asked for, pending or not, is not the file's to take away; one that is over is remembered.
  const gone = own.filter((each) => each.source === source && !kept.has(each.product_id) && !isOver(each))
  for (const each of gone) {
    const { id } = each
    await write.db.deleteFrom('subscriptions').where('id', '=', id).execute()
    tell(context, 'subscription', `${consumer.name}/${id}`, 'removed')
    write.note({ kind: 'subscription', id, name: consumer.name, before: toNote(each) })
    hasChanged = true
  }
  return hasChanged
}

async function save(
  context: ApplyContext,
  consumer: Resource,
  product: Resource,
  before: Subscription | undefined,
  { plan, state }: { readonly plan: string; readonly state: SubscriptionState },
): Promise<void> {
  const { call, write, source } = context
  const nowMs = call.control.clock.now()
  const id = before?.id ?? call.control.newId('subscription')
  if (before === undefined) {
    const facts = { id, workspace_id: call.workspace.id, consumer_id: consumer.id, product_id: product.id, plan }
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
  const name = `${consumer.name}/${product.name}`
  tell(context, 'subscription', name, before === undefined ? 'created' : 'changed')
  write.note({ kind: 'subscription', id, name, before: before && toNote(before), after: { plan, state } })
}

function toNote({ plan, state }: Pick<Subscription, 'plan' | 'state'>): JsonObject {
  return { plan, state }
}

/** Those of the consumer, and those of the one for all environments in whose place it may stand from now on. */
function listKnown(db: Kysely<Tables>, consumer: Resource): Promise<Subscription[]> {
  return db
    .selectFrom('subscriptions')
    .selectAll()
    .where('consumer_id', 'in', (query) =>
      query
        .selectFrom('resources')
        .select('id')
        .where('workspace_id', '=', consumer.workspace_id)
        .where('kind', '=', 'consumer')
        .where('parent_id', '=', '')
        .where('name', '=', consumer.name)
        .where('environment', 'in', ['', consumer.environment]),
    )
    .execute()
}

function isOver({ state }: Subscription): boolean {
  return ENDED.some((each) => each === state)
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
