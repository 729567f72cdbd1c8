/**
 * What people took from keys, by hash. The rows of keys go with their consumers and with documents that leave them out;
 * this stays, so that no document gives it back.
 */
import type { Kysely, Selectable } from 'kysely'
import { findInChunks } from '../../db/chunks.ts'
import type { EndedKeyTable, Tables } from '../../db/tables.ts'

export type EndedKey = Selectable<EndedKeyTable>

/** Keeps the ends that people gave these keys just now; the last one counts, for an end only ever comes earlier. */
export async function rememberEnds(
  db: Kysely<Tables>,
  keys: readonly Pick<EndedKey, 'workspace_id' | 'hash'>[],
  end: Pick<EndedKey, 'ends_at_ms' | 'is_revoked'>,
): Promise<void> {
  for (const { workspace_id, hash } of keys) {
    await db
      .insertInto('ended_keys')
      .values({ workspace_id, hash, ...end })
      .onConflict((conflict) => conflict.columns(['workspace_id', 'hash']).doUpdateSet(end))
      .execute()
  }
}

/** Of these hashes the keys that people ended, by hash. */
export async function findEndedKeys(
  db: Kysely<Tables>,
  workspaceId: string,
  hashes: Iterable<string>,
): Promise<ReadonlyMap<string, EndedKey>> {
  const rows = await findInChunks(hashes, (some) =>
    db.selectFrom('ended_keys').selectAll().where('workspace_id', '=', workspaceId).where('hash', 'in', some).execute(),
  )
  return new Map(rows.map((row) => [row.hash, row]))
}

/** Whoever makes a key anew whose end was put forward decides about its end. What was revoked nobody gives back. */
export async function forgetEnd(
  db: Kysely<Tables>,
  { workspace_id: workspaceId, hash }: Pick<EndedKey, 'workspace_id' | 'hash'>,
): Promise<void> {
  await db
    .deleteFrom('ended_keys')
    .where('workspace_id', '=', workspaceId)
    .where('hash', '=', hash)
    .where('is_revoked', '=', 0)
    .execute()
}
