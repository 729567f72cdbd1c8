/** Applies the subscriptions of a consumer. While it is there, no document brings back one that people ended or suspended. */
import { findInChunks, type RowChanges } from '../../db/chunks.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { may } from '../actor.ts'
import { refuse } from '../control-error.ts'
import { invalid } from '../problems.ts'
import { findEffective, type Resource } from '../resources/resource-store.ts'
import {
  ENDED,
  plansOf,
  selectSubscriptions,
  type NamedSubscription,
  type Subscription,
  type SubscriptionState,
} from '../subscriptions/subscription-store.ts'
import { tell, type ApplyContext } from './apply-context.ts'
import { nameOf, type DesiredConsumer } from './desired-state.ts'

/** The subscriptions of some consumers while a document is applied to them: decided here, written when all are decided. */
interface AppliedSubscriptions extends RowChanges<Subscription> {
  /** Those that the document names, by name. */
  readonly products: ReadonlyMap<string, Resource>
  /** By the name of the consumer: also those of the one for all environments, in whose place another may stand now. */
  readonly known: ReadonlyMap<string, readonly NamedSubscription[]>
  readonly removedIds: Set<string>
  readonly rows: Map<string, Subscription>
}

export async function readSubscriptions(
  { call, write: { db }, environment }: ApplyContext,
  desired: readonly Pick<DesiredConsumer, 'document' | 'subscriptions'>[],
): Promise<AppliedSubscriptions> {
  const workspaceId = call.workspace.id
  const products = desired.flatMap(({ subscriptions }) => subscriptions.map(({ product }) => product))
  const names = desired.map(({ document }) => nameOf(document))
  const known = await findInChunks(names, (some) =>
    selectSubscriptions(db, workspaceId)
      .where('consumers.name', 'in', some)
      .where('consumers.environment', 'in', ['', environment])
      .execute(),
  )
  return {
    products: await findEffective(db, { workspaceId, kind: 'product', parentId: '' }, products, ''),
    known: Map.groupBy(known, ({ consumer }) => consumer),
    removedIds: new Set(),
    rows: new Map(),
  }
}

/** Whether anything changes. Of those that the document does not name those go that the same source applied. */
export function applySubscriptions(
  context: ApplyContext,
  state: AppliedSubscriptions,
  consumer: Resource,
  subscriptions: DesiredConsumer['subscriptions'],
): boolean {
  const { write, source } = context
  const known = (state.known.get(consumer.name) ?? []).filter(
    ({ environment }) => environment === '' || environment === consumer.environment,
  )
  const own = known.filter(({ consumer_id: id }) => id === consumer.id)
  const stopped = known.filter((each) => isOver(each) || each.state === 'suspended')
  const kept = new Set<string>()
  let hasChanged = false
  for (const { product, plan } of subscriptions) {
    const found = state.products.get(product)
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
    const next = nextState(context, found, plan, last)
    if (before?.plan === plan && before.state === next) continue
    hasChanged = true
    save(context, state, consumer, found, before, { plan, state: next })
  }
  // One that somebody asked for, pending or not, is not the file's to take away; one that is over is remembered.
  const gone = own.filter((each) => each.source === source && !kept.has(each.product_id) && !isOver(each))
  for (const each of gone) {
    const { id } = each
    state.removedIds.add(id)
    tell(context, 'subscription', `${consumer.name}/${id}`, 'removed')
    write.note({ kind: 'subscription', id, name: consumer.name, before: toNote(each) })
    hasChanged = true
  }
  return hasChanged
}

function save(
  context: ApplyContext,
  { rows }: AppliedSubscriptions,
  consumer: Resource,
  product: Resource,
  before: Subscription | undefined,
  terms: { readonly plan: string; readonly state: SubscriptionState },
): void {
  const { call, write, source } = context
  const nowMs = call.control.clock.now()
  const id = before?.id ?? call.control.newId('subscription')
  rows.set(id, {
    id,
    workspace_id: call.workspace.id,
    consumer_id: consumer.id,
    product_id: product.id,
    ...terms,
    source,
    version: (before?.version ?? 0) + 1,
    created_at_ms: before?.created_at_ms ?? nowMs,
    updated_at_ms: nowMs,
  })
  const name = `${consumer.name}/${product.name}`
  tell(context, 'subscription', name, before === undefined ? 'created' : 'changed')
  write.note({ kind: 'subscription', id, name, before: before && toNote(before), after: { ...terms } })
}

function toNote({ plan, state }: Pick<Subscription, 'plan' | 'state'>): JsonObject {
  return { plan, state }
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
