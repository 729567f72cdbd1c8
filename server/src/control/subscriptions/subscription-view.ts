/** A subscription as the admin API shows it. */
import { z } from 'zod'
import { refuse } from '../control-error.ts'
import type { AuditNote } from '../define-route.ts'
import { invalid } from '../problems.ts'
import { toTime } from '../resources/resource-view.ts'
import { SUBSCRIPTION_STATES, type NamedSubscription, type SubscriptionState } from './subscription-store.ts'

export const subscriptionView = z.strictObject({
  id: z.string(),
  consumer: z.string(),
  environment: z.string().meta({ description: 'The one environment that the consumer is for; empty for all.' }),
  product: z.string(),
  plan: z.string(),
  state: z.enum(SUBSCRIPTION_STATES),
  revision: z.int().meta({ description: 'Grows with every change.' }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})

export function toSubscriptionView(row: NamedSubscription): z.input<typeof subscriptionView> {
  const { id, consumer, environment, product, plan, version } = row
  return {
    id,
    consumer,
    environment,
    product,
    plan,
    state: toState(row.state),
    revision: version,
    createdAt: toTime(row.created_at_ms),
    updatedAt: toTime(row.updated_at_ms),
  }
}

export function toSubscriptionNote(before: NamedSubscription | undefined, after: NamedSubscription): AuditNote {
  const facts = ({ plan, state }: NamedSubscription) => ({ plan, state })
  return {
    kind: 'subscription',
    id: after.id,
    name: `${after.consumer}/${after.product}`,
    before: before === undefined ? undefined : facts(before),
    after: facts(after),
  }
}

/** Where a page of subscriptions begins: after the one with this id. */
export function toCursor({ id }: Pick<NamedSubscription, 'id'>): string {
  return Buffer.from(id).toString('base64url')
}

export function readCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString()
  if (/^subscription_[\w-]+$/.test(id)) return id
  return refuse(invalid({ errors: [{ pointer: 'query cursor', detail: 'is not the `next` of a page' }] }))
}

function toState(text: string): SubscriptionState {
  const state = SUBSCRIPTION_STATES.find((each) => each === text)
  if (state !== undefined) return state
  throw new TypeError(`a subscription is never ${text}`)
}
