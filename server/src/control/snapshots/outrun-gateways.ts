/**
 * After a backup was brought back. Gateways take no snapshot that is older than the one they run, so that nobody can
 * play an old one to them; but what an operator restores is older on purpose, and they have to follow it.
 */
import { sql, type Transaction } from 'kysely'
import type { Tables } from '../../db/tables.ts'

/**
 * Numbers what every environment publishes anew, above all that was published before: numbers grow by one with each
 * change, so the milliseconds since 1970 are ahead of all of them, also after another restoring.
 */
export async function outrunGateways(transaction: Transaction<Tables>, nowMs: number): Promise<void> {
  // An environment that publishes nothing has no line that could carry the number.
  const rows = await transaction.selectFrom('snapshot_lines').select('environment').distinct().execute()
  for (const { environment } of rows) {
    const { snapshot_seq: seq } = await transaction
      .updateTable('environments')
      .set({ snapshot_seq: sql<number>`case when snapshot_seq < ${nowMs} then ${nowMs} else snapshot_seq + 1 end` })
      .where('name', '=', environment)
      .returning('snapshot_seq')
      .executeTakeFirstOrThrow()
    await transaction.updateTable('snapshot_lines').set({ seq }).where('environment', '=', environment).execute()
  }
}
