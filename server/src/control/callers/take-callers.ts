/** Takes what a gateway counted of the callers of deprecated versions. */
import type { Kysely } from 'kysely'
import type { GatewayReport } from '../../kernel/control-protocol.ts'
import type { Tables } from '../../db/tables.ts'
import type { ReportTaker } from '../gateways/report-takers.ts'
import { fromSnapshotName } from '../snapshots/snapshot-names.ts'
import { LIVE_STATES } from '../deployments/deployment-store.ts'
import { DAY_MS, addCalls, forgetOldCalls, toDayStart } from './caller-store.ts'

type Counts = NonNullable<GatewayReport['callers']>['counts']

/** Clocks go wrong a little; what is further ahead would never be forgotten. */
const AHEAD_MS = DAY_MS

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
    for (const counts of groupByVersion(toBelievable(callers.counts, nowMs))) {
      const versionId = await findVersion(db, gateway.environment, counts)
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

/** Without what lies in the future, and by day, whatever moment of it was told. */
function toBelievable(counts: Counts, nowMs: number): Counts {
  return counts
    .filter(({ dayStartMs, lastSeenMs }) => Math.max(dayStartMs, lastSeenMs) <= nowMs + AHEAD_MS)
    .map((count) => ({ ...count, dayStartMs: toDayStart(count.dayStartMs) }))
}

/** Undefined when it is not live where the gateway is: a gateway speaks for its own environment alone. */
async function findVersion(db: Kysely<Tables>, environment: string, [first]: Counts): Promise<string | undefined> {
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
    .where((where) =>
      where.exists(
        where
          .selectFrom('deployments')
          .select('deployments.id')
          .whereRef('deployments.version_id', '=', 'versions.id')
          .where('deployments.environment', '=', environment)
          .where('deployments.state', 'in', LIVE_STATES),
      ),
    )
    .executeTakeFirst()
  return row?.id
}
