/** Subscriptions in the store: which consumer may use which product under which plan, and how that came about. */
import type { Kysely, Selectable } from 'kysely'
import { keyChunks, rowChunks, type RowChanges } from '../../db/chunks.ts'
import type { SubscriptionTable, Tables } from '../../db/tables.ts'
import { product as productSchema, type ProductSettings } from '../../config/schema/consumer.ts'
import { defineProblem } from '../../kernel/problem.ts'
import { refuse } from '../control-error.ts'
import { inUse, notFound, preconditionFailed } from '../problems.ts'
import type { Resource } from '../resources/resource-store.ts'
import { documentOf } from '../resources/resource-view.ts'

export type Subscription = Selectable<SubscriptionTable>

export const SUBSCRIPTION_STATES = ['pending', 'active', 'suspended', 'rejected', 'cancelled'] as const
export type SubscriptionState = (typeof SUBSCRIPTION_STATES)[number]

/** In these states it is over, and the consumer may subscribe anew. */
export const ENDED: readonly SubscriptionState[] = ['rejected', 'cancelled']

export const wrongState = defineProblem({
  code: 'subscription.wrong_state',
  status: 409,
  title: 'The subscription is in another state',
  blame: 'caller',
  remedy:
    'Read the subscription. Pending ones are approved or rejected, active ones suspended, suspended ones resumed.',
})

/** With the names of its consumer and product. */
export interface NamedSubscription extends Subscription {
  readonly consumer: string
  readonly environment: string
  readonly product: string
}

/** Subscriptions of a workspace, to be narrowed. */
export function selectSubscriptions(db: Kysely<Tables>, workspaceId: string) {
  return db
    .selectFrom('subscriptions')
    .innerJoin('resources as consumers', 'consumers.id', 'subscriptions.consumer_id')
    .innerJoin('resources as products', 'products.id', 'subscriptions.product_id')
    .selectAll('subscriptions')
    .select(['consumers.name as consumer', 'consumers.environment as environment', 'products.name as product'])
    .where('subscriptions.workspace_id', '=', workspaceId)
}

/** The subscription; refuses with 404 when the workspace has none of this id. */
export async function getSubscription(db: Kysely<Tables>, workspaceId: string, id: string): Promise<NamedSubscription> {
  const found = await selectSubscriptions(db, workspaceId).where('subscriptions.id', '=', id).executeTakeFirst()
  return found ?? refuse(notFound({ detail: `There is no subscription ${JSON.stringify(id)}.` }))
}

/** Writes a new state or plan over the row that was read. */
export async function updateSubscription(
  db: Kysely<Tables>,
  { id, version }: Subscription,
  changes: Pick<Subscription, 'state' | 'updated_at_ms'> & Partial<Pick<Subscription, 'plan'>>,
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('subscriptions')
    .set({ ...changes, version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) refuse(preconditionFailed())
}

/** Removes first, so that what goes is in nobody's way; the rows then in their order. */
export async function writeSubscriptions(
  db: Kysely<Tables>,
  { removedIds, rows }: RowChanges<Subscription>,
): Promise<void> {
  for (const some of keyChunks([...removedIds])) await db.deleteFrom('subscriptions').where('id', 'in', some).execute()
  for (const some of rowChunks([...rows.values()])) {
    await db
      .insertInto('subscriptions')
      .values(some)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((row) => ({
          plan: row.ref('excluded.plan'),
          state: row.ref('excluded.state'),
          source: row.ref('excluded.source'),
          version: row.ref('excluded.version'),
          updated_at_ms: row.ref('excluded.updated_at_ms'),
        })),
      )
      .execute()
  }
}

/** A product that goes takes along what is over; refuses when somebody still uses it. */
export async function endSubscriptions(db: Kysely<Tables>, product: Resource): Promise<void> {
  const left = await selectSubscriptions(db, product.workspace_id)
    .where('product_id', '=', product.id)
    .where('state', 'not in', ENDED)
    .executeTakeFirst()
  if (left !== undefined) {
    refuse(inUse({ detail: `The consumer ${left.consumer} has a subscription to it, which is ${left.state}.` }))
  }
  await db.deleteFrom('subscriptions').where('product_id', '=', product.id).execute()
}

/** Refuses to leave a subscription without its plan: the limits of the plan would be gone, but not the access. */
export async function checkPlans(
  db: Kysely<Tables>,
  workspaceId: string,
  { name, plans }: { readonly name: string; readonly plans: readonly { readonly name: string }[] },
): Promise<void> {
  const names = plans.map((plan) => plan.name)
  const left = await selectSubscriptions(db, workspaceId)
    .where('products.name', '=', name)
    .where('subscriptions.state', 'not in', ENDED)
    .where('subscriptions.plan', 'not in', names)
    .executeTakeFirst()
  if (left === undefined) return
  refuse(inUse({ detail: `The consumer ${left.consumer} has a subscription to the plan ${left.plan} of ${name}.` }))
}

export function plansOf(product: Resource): ProductSettings['plans'] {
  return productSchema.parse(documentOf(product)).plans
}
