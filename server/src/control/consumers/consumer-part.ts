/** A consumer as a part of a snapshot: its document with its credentials and subscriptions. */
import type { Kysely } from 'kysely'
import type { JsonObject } from '../../kernel/json.ts'
import type { SnapshotContent } from '../../kernel/snapshot.ts'
import type { Tables } from '../../db/tables.ts'
import type { Control } from '../control.ts'
import type { WorkspaceRef } from '../define-route.ts'
import type { SnapshotPart } from '../resources/define-collection.ts'
import { documentOf, toTime } from '../resources/resource-view.ts'
import type { Resource } from '../resources/resource-store.ts'
import { compileDocument } from '../snapshots/compile-lines.ts'

export const consumerPart: SnapshotPart = { list: 'consumers', compile: compileConsumer }

async function compileConsumer(
  db: Kysely<Tables>,
  control: Control,
  workspace: WorkspaceRef,
  row: Resource,
): Promise<SnapshotContent> {
  const keys = await db
    .selectFrom('credentials')
    .select(['name', 'hash', 'expires_at_ms'])
    .where('consumer_id', '=', row.id)
    .where('revoked_at_ms', 'is', null)
    .orderBy('name')
    .execute()
  const subscriptions = await db
    .selectFrom('subscriptions')
    .innerJoin('resources', 'resources.id', 'subscriptions.product_id')
    .select(['resources.name as product', 'subscriptions.plan as plan'])
    .where('subscriptions.consumer_id', '=', row.id)
    .where('subscriptions.state', '=', 'active')
    .orderBy('resources.name')
    .execute()
  const consumer: JsonObject = {
    ...documentOf(row),
    keys: keys.map(({ name, hash, expires_at_ms: expiresAtMs }) => ({
      name,
      hash,
      ...(expiresAtMs === null ? {} : { expiresAt: toTime(expiresAtMs) }),
    })),
    subscriptions: subscriptions.map(({ product, plan }) => ({ product, plan })),
  }
  return compileDocument(db, control, workspace, { consumers: [consumer] })
}
