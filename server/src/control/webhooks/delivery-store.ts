/** The deliveries of webhooks in the store: what waits, what was sent, and what has to be forgotten to stay bounded. */
import type { Kysely, Selectable } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import type { WebhookDeliveryTable } from '../../db/webhook-tables.ts'

export type Delivery = Selectable<WebhookDeliveryTable>

/** Deliveries of a webhook that are kept, and that may wait; the audit holds what comes after them. */
export const MOST_KEPT = 1_000

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Time until the next try, by how many were made: two days in all, as Standard Webhooks recommends. */
const RETRY_MS = [
  5_000,
  30_000,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  24 * HOUR_MS,
]
/** Up to this part is added, so that what failed together is not tried again together. */
const JITTER = 0.2

/** A webhook that has received nothing for so long is switched off until somebody changes it. */
const DISABLE_AFTER_MS = 3 * 24 * HOUR_MS

export interface Outcome {
  readonly status: number | undefined
  /** Empty when it was received. */
  readonly detail: string
}

/** Writes down how a delivery went; true when the webhook is switched off by it. */
export async function settleDelivery(
  db: Kysely<Tables>,
  { id, webhook_id: webhookId, attempts }: Pick<Delivery, 'id' | 'webhook_id' | 'attempts'>,
  { status, detail }: Outcome,
  nowMs: number,
): Promise<boolean> {
  const retryMs = RETRY_MS[attempts]
  const isReceived = detail === ''
  const state = isReceived ? 'delivered' : retryMs === undefined ? 'failed' : 'pending'
  const next_at_ms = nowMs + Math.round((retryMs ?? 0) * (1 + Math.random() * JITTER))
  await db
    .updateTable('webhook_deliveries')
    .set({ state, attempts: attempts + 1, status: status ?? null, detail, next_at_ms, updated_at_ms: nowMs })
    .where('id', '=', id)
    .execute()
  const cursor = await db
    .selectFrom('webhook_cursors')
    .selectAll()
    .where('webhook_id', '=', webhookId)
    .executeTakeFirst()
  if (cursor === undefined || (isReceived && cursor.failing_since_ms === null)) return false
  const failingSince = isReceived ? null : (cursor.failing_since_ms ?? nowMs)
  // 410 says that nobody will ever listen there again (RFC 9110 §15.5.11).
  const isOver = status === 410 || (failingSince !== null && nowMs - failingSince >= DISABLE_AFTER_MS)
  const isOff = !isReceived && isOver
  // Several are under way at once: one that ends later does not switch on again what another one switched off.
  const disabled_at_ms = isOff ? nowMs : cursor.disabled_at_ms
  await db
    .updateTable('webhook_cursors')
    .set({ failing_since_ms: failingSince, disabled_at_ms })
    .where('webhook_id', '=', webhookId)
    .execute()
  return isOff
}

/** Forgets what was settled longest ago, beyond what is kept. */
export async function forgetOldDeliveries(db: Kysely<Tables>, webhookId: string): Promise<void> {
  const oldest = await db
    .selectFrom('webhook_deliveries')
    .select('seq')
    .where('webhook_id', '=', webhookId)
    .orderBy('seq', 'desc')
    .offset(MOST_KEPT)
    .limit(1)
    .executeTakeFirst()
  if (oldest === undefined) return
  await db
    .deleteFrom('webhook_deliveries')
    .where('webhook_id', '=', webhookId)
    .where('seq', '<=', oldest.seq)
    .where('state', '<>', 'pending')
    .execute()
}

/** How many wait to be sent. */
export async function countPending(db: Kysely<Tables>, webhookId: string): Promise<number> {
  const { count } = await db
    .selectFrom('webhook_deliveries')
    .select((expression) => expression.fn.countAll().as('count'))
    .where('webhook_id', '=', webhookId)
    .where('state', '=', 'pending')
    .executeTakeFirstOrThrow()
  return Number(count)
}
