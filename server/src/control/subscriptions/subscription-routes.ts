/** Subscriptions of consumers to products: asked for, approved where the plan wants that, suspended, ended. */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Tables } from '../../db/tables.ts'
import { consumerPart } from '../consumers/consumer-part.ts'
import { refuse } from '../control-error.ts'
import { defineRoute, type AdminRoute, type Call, type Write } from '../define-route.ts'
import type { Permission } from '../permissions.ts'
import { invalid, taken } from '../problems.ts'
import { listQuery, pageOf } from '../resources/paging.ts'
import { findResource, getResource, type Resource } from '../resources/resource-store.ts'
import { publishResources } from '../snapshots/publish-resources.ts'
import {
  ENDED,
  getSubscription,
  plansOf,
  selectSubscriptions,
  SUBSCRIPTION_STATES,
  updateSubscription,
  wrongState,
  type SubscriptionState,
} from './subscription-store.ts'
import { readCursor, subscriptionView, toCursor, toSubscriptionNote, toSubscriptionView } from './subscription-view.ts'

const path = '/workspaces/{workspace}/subscriptions'
const params = z.strictObject({ id: z.string().max(200) })
const word = z.string().min(1).max(200)

export const listSubscriptions = defineRoute({
  id: 'listSubscriptions',
  method: 'GET',
  path,
  tag: 'subscriptions',
  summary: 'Lists subscriptions, the oldest first.',
  permission: 'subscriptions.read',
  effect: 'read',
  query: listQuery.pick({ limit: true, cursor: true, environment: true }).extend({
    consumer: word.optional().meta({ description: 'Only those of this consumer.' }),
    product: word.optional().meta({ description: 'Only those to this product.' }),
    state: z.enum(SUBSCRIPTION_STATES).optional().meta({ description: 'Only those in this state.' }),
  }),
  output: pageOf(subscriptionView),
  async handle({ db, workspace, query }) {
    let found = selectSubscriptions(db, workspace.id)
    if (query.consumer !== undefined) found = found.where('consumers.name', '=', query.consumer)
    if (query.environment !== undefined) found = found.where('consumers.environment', '=', query.environment)
    if (query.product !== undefined) found = found.where('products.name', '=', query.product)
    if (query.state !== undefined) found = found.where('subscriptions.state', '=', query.state)
    if (query.cursor !== undefined) found = found.where('subscriptions.id', '>', readCursor(query.cursor))
    const rows = await found
      .orderBy('subscriptions.id')
      .limit(query.limit + 1)
      .execute()
    const page = rows.slice(0, query.limit)
    const last = page.at(-1)
    const next = rows.length > page.length && last !== undefined ? toCursor(last) : undefined
    return { body: { items: page.map(toSubscriptionView), next } }
  },
})

export const getSubscriptionRoute = defineRoute({
  id: 'getSubscription',
  method: 'GET',
  path: `${path}/{id}`,
  tag: 'subscriptions',
  summary: 'Shows a subscription.',
  permission: 'subscriptions.read',
  effect: 'read',
  params,
  output: subscriptionView,
  async handle({ db, workspace, params: { id } }) {
    const row = await getSubscription(db, workspace.id, id)
    return { body: toSubscriptionView(row), etag: row.version }
  },
})

export const createSubscription = defineRoute({
  id: 'createSubscription',
  method: 'POST',
  path,
  tag: 'subscriptions',
  summary: 'Subscribes a consumer to a plan of a product: at once, or pending when the plan asks for approval.',
  permission: 'subscriptions.write',
  effect: 'create',
  body: z.strictObject({
    consumer: word.meta({ description: 'Name of the consumer.' }),
    environment: z.string().max(100).optional().meta({ description: 'The consumer that is for this environment.' }),
    product: word.meta({ description: 'Name of the product.' }),
    plan: word.meta({ description: 'Name of one of its plans.' }),
  }),
  output: subscriptionView,
  async handle(call) {
    const { workspace, body } = call
    return call.write(async (write) => {
      const consumer = await findNamed(write.db, workspace.id, 'consumer', body.consumer, body.environment)
      const product = await findNamed(write.db, workspace.id, 'product', body.product)
      const state = needsApproval(product, body.plan) ? 'pending' : 'active'
      const id = await subscribe(call, write, { consumer, product, plan: body.plan, state })
      const after = await getSubscription(write.db, workspace.id, id)
      await publish(call, write, consumer)
      write.note(toSubscriptionNote(undefined, after))
      return { status: 201, body: toSubscriptionView(after), etag: after.version }
    })
  },
})

/** What can be done to a subscription, and when. */
const ACTIONS: readonly {
  readonly verb: string
  readonly summary: string
  readonly from: readonly SubscriptionState[]
  readonly to: SubscriptionState
  readonly permission?: Permission
}[] = [
  {
    verb: 'approve',
    summary: 'Approves a pending subscription.',
    from: ['pending'],
    to: 'active',
    permission: 'subscriptions.approve',
  },
  {
    verb: 'reject',
    summary: 'Rejects a pending subscription.',
    from: ['pending'],
    to: 'rejected',
    permission: 'subscriptions.approve',
  },
  { verb: 'suspend', summary: 'Suspends an active subscription.', from: ['active'], to: 'suspended' },
  { verb: 'resume', summary: 'Resumes a suspended subscription.', from: ['suspended'], to: 'active' },
  { verb: 'cancel', summary: 'Ends a subscription.', from: ['pending', 'active', 'suspended'], to: 'cancelled' },
]

export const subscriptionActions: readonly AdminRoute[] = ACTIONS.map(
  ({ verb, summary, from, to, permission = 'subscriptions.write' }) =>
    defineRoute({
      id: `${verb}Subscription`,
      method: 'POST',
      path: `${path}/{id}/${verb}`,
      tag: 'subscriptions',
      summary,
      permission,
      effect: 'action',
      params,
      output: subscriptionView,
      problems: [wrongState],
      async handle(call) {
        const { control, workspace } = call
        return call.write(async (write) => {
          const before = await getSubscription(write.db, workspace.id, call.params.id)
          if (!from.some((state) => state === before.state)) {
            refuse(wrongState({ detail: `It is ${before.state}; only what is ${from.join(' or ')} can become ${to}.` }))
          }
          await updateSubscription(write.db, before, { state: to, updated_at_ms: control.clock.now() })
          const after = await getSubscription(write.db, workspace.id, before.id)
          const shelf = { workspaceId: workspace.id, kind: 'consumer', parentId: '' }
          await publish(call, write, await getResource(write.db, shelf, after.consumer, after.environment))
          write.note(toSubscriptionNote(before, after))
          return { body: toSubscriptionView(after), etag: after.version }
        })
      },
    }),
)

interface Subscribing {
  readonly consumer: Resource
  readonly product: Resource
  readonly plan: string
  readonly state: SubscriptionState
}

/** A consumer has one subscription to a product; one that is over begins again. Returns its id. */
async function subscribe(
  { control, workspace }: Call,
  write: Write,
  { consumer, product, plan, state }: Subscribing,
): Promise<string> {
  const nowMs = control.clock.now()
  const known = await selectSubscriptions(write.db, workspace.id)
    .where('consumer_id', '=', consumer.id)
    .where('product_id', '=', product.id)
    .executeTakeFirst()
  if (known !== undefined) {
    if (!ENDED.some((each) => each === known.state)) {
      refuse(taken({ detail: `${consumer.name} has a subscription to ${product.name}, which is ${known.state}.` }))
    }
    await updateSubscription(write.db, known, { plan, state, updated_at_ms: nowMs })
    return known.id
  }
  const id = control.newId('subscription')
  const facts = { id, workspace_id: workspace.id, consumer_id: consumer.id, product_id: product.id, plan, state }
  await write.db
    .insertInto('subscriptions')
    .values({ ...facts, version: 1, created_at_ms: nowMs, updated_at_ms: nowMs })
    .execute()
  return id
}

/** What the body names; refuses, and points at it, when there is none. */
async function findNamed(
  db: Kysely<Tables>,
  workspaceId: string,
  kind: 'consumer' | 'product',
  name: string,
  environment?: string,
): Promise<Resource> {
  const found = await findResource(db, { workspaceId, kind, parentId: '' }, name, environment)
  return found ?? refuse(invalid({ errors: [{ pointer: `/${kind}`, detail: `there is no ${kind} of this name` }] }))
}

function needsApproval(product: Resource, name: string): boolean {
  const plans = plansOf(product)
  const plan = plans.find((each) => each.name === name)
  const names = plans.map((each) => each.name).join(', ')
  if (plan !== undefined) return plan.approval
  const detail = `the product ${product.name} has no such plan, but ${names}`
  return refuse(invalid({ errors: [{ pointer: '/plan', detail }] }))
}

async function publish({ control, workspace }: Call, write: Write, owner: Resource): Promise<void> {
  await publishResources({ control, workspace, write }, consumerPart, [owner])
}
