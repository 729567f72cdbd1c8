/** Consumers as a part of a snapshot: their documents with their credentials and subscriptions. */
import type { Kysely } from 'kysely'
import { findInChunks } from '../../db/chunks.ts'
import type { JsonObject } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import type { SnapshotPart } from '../resources/define-collection.ts'
import { documentOf, toTime } from '../resources/resource-view.ts'
import type { Resource } from '../resources/resource-store.ts'

export const consumerPart: SnapshotPart = { list: 'consumers', isGuarded: false, toDocuments }

async function toDocuments(db: Kysely<Tables>, rows: readonly Resource[]): Promise<JsonObject[]> {
  const ids = rows.map(({ id }) => id)
  const keys = await findInChunks(ids, (some) =>
    db
      .selectFrom('credentials')
      .select(['consumer_id', 'name', 'hash', 'expires_at_ms'])
      .where('consumer_id', 'in', some)
      .where('revoked_at_ms', 'is', null)
      .orderBy('name')
      .execute(),
  )
  const subscriptions = await findInChunks(ids, (some) =>
    db
      .selectFrom('subscriptions')
      .innerJoin('resources', 'resources.id', 'subscriptions.product_id')
      .select(['subscriptions.consumer_id', 'resources.name as product', 'subscriptions.plan as plan'])
      .where('subscriptions.consumer_id', 'in', some)
      .where('subscriptions.state', '=', 'active')
      .orderBy('resources.name')
      .execute(),
  )
  const keysOf = Map.groupBy(keys, ({ consumer_id: id }) => id)
  const subscriptionsOf = Map.groupBy(subscriptions, ({ consumer_id: id }) => id)
  return rows.map((row) => ({
    ...documentOf(row),
    keys: (keysOf.get(row.id) ?? []).map(({ name, hash, expires_at_ms: expiresAtMs }) => ({
      name,
      hash,
      ...(expiresAtMs === null ? {} : { expiresAt: toTime(expiresAtMs) }),
    })),
    subscriptions: (subscriptionsOf.get(row.id) ?? []).map(({ product, plan }) => ({ product, plan })),
  }))
}
