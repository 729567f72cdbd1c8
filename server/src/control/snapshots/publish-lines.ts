/**
 * Writes lines of an environment's snapshot, in the transaction of the change that they come from: configuration and
 * what the gateways run cannot drift apart, and any control process serves both.
 */
import type { Kysely } from 'kysely'
import type { SnapshotChange, SnapshotLine } from '../../kernel/snapshot-tree.ts'
import type { Tables } from '../../db/tables.ts'
import type { Write } from '../define-route.ts'

/** How many keys one query names: SQLite takes 32,766 variables, and short statements are kept prepared. */
const CHUNK = 500

/** Puts the change into the snapshot; lines that are the same already are left alone. */
export async function publishLines(write: Write, environment: string, change: SnapshotChange): Promise<void> {
  const { db } = write
  const wanted = new Map<string, string>(change.removed.map((key) => [key, '']))
  for (const { key, line } of change.lines) wanted.set(key, line)
  const differing = await findDiffering(db, environment, wanted)
  if (differing.length === 0) return
  const { snapshot_seq: seq } = await db
    .updateTable('environments')
    .set((expression) => ({ snapshot_seq: expression('snapshot_seq', '+', 1) }))
    .where('name', '=', environment)
    .returning('snapshot_seq')
    .executeTakeFirstOrThrow()
  for (const lines of chunks(differing)) {
    await db
      .insertInto('snapshot_lines')
      .values(lines.map(({ key, line }) => ({ environment, key, line, seq })))
      .onConflict((conflict) =>
        conflict.columns(['environment', 'key']).doUpdateSet((expression) => ({
          line: expression.ref('excluded.line'),
          seq: expression.ref('excluded.seq'),
        })),
      )
      .execute()
  }
  write.touch(environment)
}

async function findDiffering(
  db: Kysely<Tables>,
  environment: string,
  wanted: ReadonlyMap<string, string>,
): Promise<SnapshotLine[]> {
  const known = new Map<string, string>()
  for (const keys of chunks([...wanted.keys()])) {
    const rows = await db
      .selectFrom('snapshot_lines')
      .select(['key', 'line'])
      .where('environment', '=', environment)
      .where('key', 'in', keys)
      .execute()
    for (const { key, line } of rows) known.set(key, line)
  }
  return [...wanted].filter(([key, line]) => (known.get(key) ?? '') !== line).map(([key, line]) => ({ key, line }))
}

function chunks<Each>(list: readonly Each[]): Each[][] {
  return Array.from({ length: Math.ceil(list.length / CHUNK) }, (_, at) => list.slice(at * CHUNK, (at + 1) * CHUNK))
}
