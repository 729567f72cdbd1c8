/** What an installation has from its first moment: a workspace and an environment, with nothing in it. */
import type { Clock } from '../kernel/clock.ts'
import type { PolicyDefinition } from '../kernel/policy.ts'
import { toHeaderLine } from '../config/snapshot-lines.ts'
import { compilePart } from '../config/compile-part.ts'
import type { Database } from '../db/client.ts'
import { newId } from './new-id.ts'
import { DEFAULT_WORKSPACE } from './snapshots/snapshot-names.ts'

/** Whether the installation is new. */
export async function bootstrap(
  database: Database,
  clock: Clock,
  policies: readonly PolicyDefinition[],
  environment: string,
): Promise<boolean> {
  return database.write(async (db) => {
    const nowMs = clock.now()
    const changeable = { version: 1, created_at_ms: nowMs, updated_at_ms: nowMs }
    const workspace = await db.selectFrom('workspaces').select('id').limit(1).executeTakeFirst()
    if (workspace === undefined) {
      await db
        .insertInto('workspaces')
        .values({
          id: newId('workspace', nowMs),
          name: DEFAULT_WORKSPACE,
          title: 'Default',
          settings: '{}',
          ...changeable,
        })
        .execute()
    }
    const known = await db.selectFrom('environments').select('id').limit(1).executeTakeFirst()
    if (known !== undefined) return false
    await db
      .insertInto('environments')
      .values({
        id: newId('environment', nowMs),
        name: environment,
        title: '',
        is_default: 1,
        needs_approval: 0,
        // The first steps are made here; whoever goes live with it turns this off.
        test_keys: 1,
        snapshot_seq: 1,
        gateway: '{}',
        ...changeable,
      })
      .execute()
    const line = toHeaderLine(compilePart({ headgate: 1 }, new Map(), policies))
    await db.insertInto('snapshot_lines').values({ environment, key: 'header', line, seq: 1 }).execute()
    return true
  })
}
