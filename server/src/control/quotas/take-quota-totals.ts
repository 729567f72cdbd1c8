/**
 * Adds up what gateways count for quotas. Each tells the total of every name that it counts, and control keeps the
 * highest that it heard from each: a report that comes twice counts once, and one that is lost is made good by the next.
 */
import type { Kysely } from 'kysely'
import type { GatewayReport, ReportAnswer } from '../../kernel/control-protocol.ts'
import type { Tables } from '../../db/tables.ts'
import type { ReportFrom, ReportTaker } from '../gateways/report-takers.ts'
import { takeRoom, toBelievable, type QuotaTotal } from './believable-totals.ts'

type QuotaReport = NonNullable<GatewayReport['quotas']>
type QuotaAnswer = NonNullable<ReportAnswer['quotas']>

/** How many rows one statement writes: SQLite takes 32,766 variables. */
const CHUNK = 500
/** Rows that one answer adds up; more than one report writes, so that each answer comes further. */
const MOST_ROWS = 5_000

export const quotaTaker: ReportTaker = {
  async take({ db, control, gateway, report: { quotas } }) {
    if (quotas === undefined) return {}
    const newest = await findNewest(db, gateway.environment)
    // Of the clock, so that it goes on growing when the rows that had the highest are removed.
    const seq = Math.max(control.clock.now(), newest + 1)
    const totals = toBelievable(quotas.totals, control.clock.now())
    const hasRoom = await takeRoom(control, gateway.id, totals.length, () => countRows(db, gateway))
    if (hasRoom) await keepTotals(db, gateway, seq, totals)
    return { quotas: await addUp(db, gateway, quotas, control.clock.now()) }
  },
}

async function findNewest(db: Kysely<Tables>, environment: string): Promise<number> {
  const row = await db
    .selectFrom('quota_counts')
    .select('seq')
    .where('environment', '=', environment)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.seq ?? 0
}

async function countRows(db: Kysely<Tables>, { id }: ReportFrom): Promise<number> {
  const { names } = await db
    .selectFrom('quota_counts')
    .select(({ fn }) => fn.countAll<number>().as('names'))
    .where('gateway_id', '=', id)
    .executeTakeFirstOrThrow()
  return Number(names)
}

async function keepTotals(
  db: Kysely<Tables>,
  { id, environment }: ReportFrom,
  seq: number,
  totals: readonly QuotaTotal[],
): Promise<void> {
  for (let from = 0; from < totals.length; from += CHUNK) {
    const rows = totals.slice(from, from + CHUNK).map(([policy, key, startMs, endMs, count]) => {
      return { environment, policy, key, period_start_ms: startMs, period_end_ms: endMs, gateway_id: id, count, seq }
    })
    await db
      .insertInto('quota_counts')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(['environment', 'policy', 'key', 'period_start_ms', 'period_end_ms', 'gateway_id'])
          .doUpdateSet((expression) => ({
            count: expression.ref('excluded.count'),
            seq: expression.ref('excluded.seq'),
          }))
          .whereRef('quota_counts.count', '<', 'excluded.count'),
      )
      .execute()
  }
}

/** The names that changed after `after`, as many as one answer takes, each with what all gateways counted. */
async function addUp(
  db: Kysely<Tables>,
  { id, environment }: ReportFrom,
  { after, totals }: QuotaReport,
  nowMs: number,
): Promise<QuotaAnswer> {
  const changed = db.selectFrom('quota_counts').where('environment', '=', environment).where('seq', '>', after)
  const next = await changed.select('seq').orderBy('seq').offset(MOST_ROWS).limit(1).executeTakeFirst()
  const upTo = next === undefined ? Math.max(after, await findNewest(db, environment)) : next.seq - 1
  const names = changed
    .where('seq', '<=', upTo)
    .where('period_end_ms', '>', nowMs)
    .select(['policy', 'key', 'period_start_ms', 'period_end_ms'])
    .distinct()
  const rows = await db
    .selectFrom(names.as('names'))
    .innerJoin('quota_counts as counts', (join) =>
      join
        .onRef('counts.policy', '=', 'names.policy')
        .onRef('counts.key', '=', 'names.key')
        .onRef('counts.period_start_ms', '=', 'names.period_start_ms')
        .onRef('counts.period_end_ms', '=', 'names.period_end_ms'),
    )
    .where('counts.environment', '=', environment)
    .select(['names.policy', 'names.key', 'names.period_start_ms as startMs', 'names.period_end_ms as endMs'])
    .select(({ fn, eb }) => [
      fn.sum<number>(eb.case().when('counts.gateway_id', '=', id).then(eb.ref('counts.count')).else(0).end()).as('own'),
      fn.sum<number>('counts.count').as('total'),
    ])
    .groupBy(['names.policy', 'names.key', 'names.period_start_ms', 'names.period_end_ms'])
    .execute()
  const told = new Map(totals.map(([policy, key, startMs, endMs, own]) => [toText(policy, key, startMs, endMs), own]))
  const wanted = rows.filter(({ policy, key, startMs, endMs, own, total }) => {
    return own !== total || told.get(toText(policy, key, startMs, endMs)) !== own
  })
  return {
    upTo,
    sums: wanted.map((row) => [row.policy, row.key, row.startMs, row.endMs, row.own, row.total - row.own]),
  }
}

function toText(...name: readonly (string | number)[]): string {
  return JSON.stringify(name)
}
