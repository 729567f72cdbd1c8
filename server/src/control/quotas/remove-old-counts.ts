/** Counts of periods that are over limit nobody; they go after a while in which late gateways still find them. */
import { createBackgroundLoop, type BackgroundLoop } from '../background-loop.ts'
import type { Control } from '../control.ts'

const KEPT_MS = 600_000
const EVERY_MS = 60_000

/** Removes what is old; two control processes that do it at once do no harm. */
export async function removeOldCounts({ database, clock }: Pick<Control, 'database' | 'clock'>): Promise<void> {
  const before = clock.now() - KEPT_MS
  const old = await database.read
    .selectFrom('quota_counts')
    .select('period_end_ms')
    .where('period_end_ms', '<', before)
    .limit(1)
    .executeTakeFirst()
  if (old === undefined) return
  await database.write((db) => db.deleteFrom('quota_counts').where('period_end_ms', '<', before).execute())
}

export function createCountRemover(control: Pick<Control, 'database' | 'clock' | 'log'>): BackgroundLoop {
  const { log } = control
  return createBackgroundLoop({
    what: 'old counts of quotas',
    everyMs: EVERY_MS,
    log,
    run: () => removeOldCounts(control),
  })
}
