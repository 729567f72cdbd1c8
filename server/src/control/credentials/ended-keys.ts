/**
 * What people took from keys, by hash. The rows of keys go with their consumers and with documents that leave them out;
 * this stays, so that whoever makes the same key again does not give it back.
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
