/** Takes what a gateway counted of the callers of deprecated versions. */
import type { Kysely } from 'kysely'
import type { GatewayReport } from '../../kernel/control-protocol.ts'
import type { Tables } from '../../db/tables.ts'
import type { ReportTaker } from '../gateways/report-takers.ts'
import { fromSnapshotName } from '../snapshots/snapshot-names.ts'
import { addCalls, forgetOldCalls } from './caller-store.ts'

type Counts = NonNullable<GatewayReport['callers']>['counts']

export const callerTaker: ReportTaker = {
  async take({ db, control, gateway, report: { callers } }) {
    if (callers === undefined) return {}
    const last = await db
      .selectFrom('caller_batches')
      .select('batch')
      .where('gateway_id', '=', gateway.id)
      .executeTakeFirst()
    // Told again, because the answer to the first time was lost.
    if (last?.batch === callers.batch) return {}
    const nowMs = control.clock.now()
    for (const counts of groupByVersion(callers.counts)) {
      const versionId = await findVersion(db, counts)
      if (versionId === undefined) continue
      for (const { consumer, dayStartMs, requests: count, lastSeenMs } of counts) {
        await addCalls(db, { versionId, environment: gateway.environment, dayStartMs, consumer, count, lastSeenMs })
      }
      await forgetOldCalls(db, versionId, nowMs)
    }
    await db
      .insertInto('caller_batches')
      .values({ gateway_id: gateway.id, batch: callers.batch })
      .onConflict((conflict) => conflict.column('gateway_id').doUpdateSet({ batch: callers.batch }))
      .execute()
    return {}
  },
}

function groupByVersion(counts: Counts): Counts[] {
  return [...Map.groupBy(counts, ({ api, version }) => `${api} ${version}`).values()]
}

/** Undefined when it was removed meanwhile. */
async function findVersion(db: Kysely<Tables>, [first]: Counts): Promise<string | undefined> {
  if (first === undefined) return undefined
  const { workspace, name } = fromSnapshotName(first.api)
  const row = await db
    .selectFrom('resources as versions')
    .innerJoin('resources as apis', 'apis.id', 'versions.parent_id')
    .innerJoin('workspaces', 'workspaces.id', 'apis.workspace_id')
    .select('versions.id')
    .where('workspaces.name', '=', workspace)
    .where('apis.kind', '=', 'api')
    .where('apis.name', '=', name)
    .where('versions.kind', '=', 'version')
    .where('versions.name', '=', first.version)
    .executeTakeFirst()
  return row?.id
}
