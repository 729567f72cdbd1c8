/** What was sent to a webhook, what waits, and sending something again. */
import { z } from 'zod'
import { refuse } from '../control-error.ts'
import { defineRoute } from '../define-route.ts'
import { notFound } from '../problems.ts'
import { getResource, type Shelf } from '../resources/resource-store.ts'
import { pageOf } from '../resources/paging.ts'
import { toTime } from '../resources/resource-view.ts'
import type { Delivery } from './delivery-store.ts'

const path = '/workspaces/{workspace}/webhooks/{name}/deliveries'

const view = z.strictObject({
  id: z.string().meta({ description: 'What a receiver gets as `webhook-id`, the same at every try.' }),
  event: z.string(),
  state: z.enum(['pending', 'delivered', 'failed']),
  attempts: z.int(),
  status: z.int().optional().meta({ description: 'Status of the last answer.' }),
  detail: z.string().meta({ description: 'What went wrong at the last try.' }),
  nextAt: z.iso.datetime().optional(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  body: z.unknown(),
})

const toggles = z.strictObject({
  state: z.enum(['active', 'failing', 'disabled']),
  since: z.iso.datetime().optional(),
})

function toView(row: Delivery): z.input<typeof view> {
  return {
    id: row.id,
    event: row.event,
    // Written by the worker alone, which knows no other.
    state: row.state as z.input<typeof view>['state'],
    attempts: row.attempts,
    ...(row.status === null ? {} : { status: row.status }),
    detail: row.detail,
    ...(row.state === 'pending' ? { nextAt: toTime(row.next_at_ms) } : {}),
    createdAt: toTime(row.created_at_ms),
    updatedAt: toTime(row.updated_at_ms),
    body: JSON.parse(row.body) as unknown,
  }
}

export const listDeliveries = defineRoute({
  id: 'listWebhookDeliveries',
  method: 'GET',
  path,
  tag: 'webhooks',
  summary: 'Lists the last deliveries of a webhook, the latest first, and whether it is still tried.',
  permission: 'webhooks.read',
  effect: 'read',
  params: z.strictObject({ name: z.string().max(200) }),
  query: z.strictObject({
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: z.coerce.number().int().min(0).optional().meta({ description: '`next` of the page before.' }),
    state: z.enum(['pending', 'delivered', 'failed']).optional(),
  }),
  output: pageOf(view).extend({ webhook: toggles }),
  async handle({ db, workspace, params, query }) {
    const hook = await getResource(db, toShelf(workspace.id), params.name)
    let rows = db.selectFrom('webhook_deliveries').selectAll().where('webhook_id', '=', hook.id)
    if (query.state !== undefined) rows = rows.where('state', '=', query.state)
    if (query.cursor !== undefined) rows = rows.where('seq', '<', query.cursor)
    const found = await rows
      .orderBy('seq', 'desc')
      .limit(query.limit + 1)
      .execute()
    const page = found.slice(0, query.limit)
    const next = found.length > page.length ? String(page.at(-1)?.seq) : undefined
    const cursor = await db
      .selectFrom('webhook_cursors')
      .selectAll()
      .where('webhook_id', '=', hook.id)
      .executeTakeFirstOrThrow()
    return { body: { items: page.map(toView), next, webhook: toState(cursor.disabled_at_ms, cursor.failing_since_ms) } }
  },
})

export const redeliver = defineRoute({
  id: 'redeliverWebhook',
  method: 'POST',
  path: `${path}/{delivery}/redeliver`,
  tag: 'webhooks',
  summary: 'Sends a delivery again, under the same id, and tries as often as with a new one.',
  permission: 'webhooks.write',
  effect: 'action',
  params: z.strictObject({ name: z.string().max(200), delivery: z.string().max(100) }),
  output: view,
  async handle(call) {
    const { control, params, workspace } = call
    return call.write(async (write) => {
      const hook = await getResource(write.db, toShelf(workspace.id), params.name)
      const row = await write.db
        .selectFrom('webhook_deliveries')
        .selectAll()
        .where('webhook_id', '=', hook.id)
        .where('id', '=', params.delivery)
        .executeTakeFirst()
      if (row === undefined) return refuse(notFound({ detail: 'There is no such delivery; only the latest are kept.' }))
      const nowMs = control.clock.now()
      const changes = { state: 'pending', attempts: 0, next_at_ms: nowMs, updated_at_ms: nowMs }
      await write.db.updateTable('webhook_deliveries').set(changes).where('id', '=', row.id).execute()
      write.note({ kind: 'webhook-delivery', id: row.id, name: hook.name })
      return { body: toView({ ...row, ...changes }) }
    })
  },
})

function toState(disabledAtMs: number | null, failingSinceMs: number | null): z.input<typeof toggles> {
  if (disabledAtMs !== null) return { state: 'disabled', since: toTime(disabledAtMs) }
  return failingSinceMs === null ? { state: 'active' } : { state: 'failing', since: toTime(failingSinceMs) }
}

function toShelf(workspaceId: string): Shelf {
  return { workspaceId, kind: 'webhook', parentId: '' }
}
