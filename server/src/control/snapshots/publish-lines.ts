/**
 * Writes lines of an environment's snapshot, in the transaction of the change that they come from: configuration and
 * what the gateways run cannot drift apart, and any control process serves both.
 */
import type { Kysely } from 'kysely'
import type { SnapshotChange, SnapshotLine } from '../../kernel/snapshot-tree.ts'
import { rowChunks, findInChunks } from '../../db/chunks.ts'
import type { Tables } from '../../db/tables.ts'
import type { Write } from '../define-route.ts'
import { checkGuarded } from '../environments/check-guarded.ts'

/** Puts the change into the snapshot; lines that are the same already are left alone. */
export async function publishLines(write: Write, environment: string, change: SnapshotChange): Promise<void> {
  await put(write, environment, change)
}

/** The same for what no deployment brings: where an environment asks for approval it takes the right to give it. */
export async function publishUnapproved(write: Write, environment: string, change: SnapshotChange): Promise<void> {
  const { isGuarded } = await put(write, environment, change)
  if (isGuarded) checkGuarded(write, environment)
}

/** Whether it changed anything where approval is asked for. */
async function put(
  write: Write,
  environment: string,
  change: SnapshotChange,
): Promise<{ readonly isGuarded: boolean }> {
  const { db } = write
  const wanted = new Map<string, string>(change.removed.map((key) => [key, '']))
  for (const { key, line } of change.lines) wanted.set(key, line)
  const differing = await findDiffering(db, environment, wanted)
  if (differing.length === 0) return { isGuarded: false }
  const { snapshot_seq: seq, needs_approval: needsApproval } = await db
    .updateTable('environments')
    .set((expression) => ({ snapshot_seq: expression('snapshot_seq', '+', 1) }))
    .where('name', '=', environment)
    .returning(['snapshot_seq', 'needs_approval'])
    .executeTakeFirstOrThrow()
  for (const lines of rowChunks(differing)) {
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
  return { isGuarded: needsApproval === 1 }
}

async function findDiffering(
  db: Kysely<Tables>,
  environment: string,
  wanted: ReadonlyMap<string, string>,
): Promise<SnapshotLine[]> {
  const rows = await findInChunks(wanted.keys(), (keys) =>
    db
      .selectFrom('snapshot_lines')
      .select(['key', 'line'])
      .where('environment', '=', environment)
      .where('key', 'in', keys)
      .execute(),
  )
  const known = new Map(rows.map(({ key, line }) => [key, line]))
  return [...wanted].filter(([key, line]) => (known.get(key) ?? '') !== line).map(([key, line]) => ({ key, line }))
}
