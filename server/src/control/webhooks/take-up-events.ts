/** From the audit to deliveries: which webhooks there are, and what each of them has not heard of yet. */
import type { Selectable } from 'kysely'
import { webhook } from '../../config/schema/webhook.ts'
import type { Lease } from '../../db/lease.ts'
import type { AuditTable } from '../../db/tables.ts'
import type { WebhookCursorTable } from '../../db/webhook-tables.ts'
import type { Control } from '../control.ts'
import { documentOf } from '../resources/resource-view.ts'
import { countPending, forgetOldDeliveries, MOST_KEPT, type Delivery } from './delivery-store.ts'
import { isWanted, toEventBody, toEventType } from './webhook-events.ts'

/** Entries of the audit that one transaction takes up. */
const MOST_EVENTS = 200

export interface Hook extends Selectable<WebhookCursorTable> {
  readonly spec: string
  readonly workspace_id: string
  readonly workspace: string
}

/** Those that were not switched off because nothing arrived. */
export async function findHooks({ database }: Control): Promise<Hook[]> {
  return database.read
    .selectFrom('webhook_cursors')
    .innerJoin('resources', 'resources.id', 'webhook_cursors.webhook_id')
    .innerJoin('workspaces', 'workspaces.id', 'resources.workspace_id')
    .selectAll('webhook_cursors')
    .select(['resources.spec', 'resources.workspace_id', 'workspaces.name as workspace'])
    .where('webhook_cursors.disabled_at_ms', 'is', null)
    .execute()
}

/** Whether its people want it to hear of anything. */
export function isEnabled({ webhook_id: id, spec }: Hook): boolean {
  return documentOf({ id, spec })['enabled'] !== false
}

/** Turns entries of the audit into deliveries, and moves the cursor past them in the same transaction. */
export async function takeUp(control: Control, hook: Hook, lastSeq: number, lease: Lease): Promise<void> {
  const { database, clock } = control
  if ((await countPending(database.read, hook.webhook_id)) >= MOST_KEPT) return
  const entries = await database.read
    .selectFrom('audit')
    .selectAll()
    .where('workspace_id', '=', hook.workspace_id)
    .where('seq', '>', hook.seq)
    .where('seq', '<=', lastSeq)
    .orderBy('seq')
    .limit(MOST_EVENTS)
    .execute()
  const { events } = webhook.pick({ events: true }).loose().parse(JSON.parse(hook.spec))
  const rows = entries
    .filter((entry) => isWanted(events, toEventType(entry)))
    .map((entry) => toDelivery(control, hook, entry, clock.now()))
  const seq = entries.length < MOST_EVENTS ? lastSeq : (entries.at(-1)?.seq ?? lastSeq)
  await database.write(async (db) => {
    await lease.guard(db)
    const { numUpdatedRows } = await db
      .updateTable('webhook_cursors')
      .set({ seq })
      .where('webhook_id', '=', hook.webhook_id)
      .where('seq', '=', hook.seq)
      .executeTakeFirst()
    if (numUpdatedRows !== 1n || rows.length === 0) return
    await db.insertInto('webhook_deliveries').values(rows).execute()
    await forgetOldDeliveries(db, hook.webhook_id)
  })
}

function toDelivery(control: Control, hook: Hook, entry: Selectable<AuditTable>, nowMs: number): Delivery {
  return {
    id: control.newId('event'),
    webhook_id: hook.webhook_id,
    event: toEventType(entry),
    seq: entry.seq,
    body: toEventBody(entry, hook.workspace),
    state: 'pending',
    attempts: 0,
    next_at_ms: nowMs,
    status: null,
    detail: '',
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  }
}
