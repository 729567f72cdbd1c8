/** Who calls versions that go: counts by consumer and day, as the gateways told them, bounded and forgotten in time. */
import { sql, type Kysely } from 'kysely'
import { OTHER_CALLERS } from '../../kernel/caller-counts.ts'
import type { Tables } from '../../db/tables.ts'

export const DAY_MS = 86_400_000

/** Days without a call after which a consumer counts as gone. */
export const QUIET_DAYS = 7

/** Days that are kept. */
export const KEPT_DAYS = 90

/** Consumers of a version, environment and day that are told apart; the calls of all others stand under `*`. */
export const MOST_CONSUMERS = 5_000

/** More requests of a caller on a day than there can be; so much of every day and environment can be added up exactly. */
export const MOST_CALLS = 1_000_000_000_000

export interface Caller {
  /** Empty for nobody that is known, `*` for those beyond what is told apart. */
  readonly consumer: string
  readonly lastSeenMs: number
  readonly count: number
}

export interface CallerQuery {
  readonly nowMs: number
  /** How many days back, today included. */
  readonly days: number
  readonly limit: number
  readonly environment?: string | undefined
  /** Only consumers after this one. */
  readonly after?: string | undefined
}

/** Start of a day, UTC. */
export function toDayStart(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS
}

/** The consumers that called, in the order of their names. */
export async function listCallers(db: Kysely<Tables>, versionId: string, query: CallerQuery): Promise<Caller[]> {
  let rows = db
    .selectFrom('version_callers')
    .select('consumer')
    .select(({ fn }) => [fn.max('last_seen_at_ms').as('last_seen_at_ms'), fn.sum<number>('count').as('count')])
    .where('version_id', '=', versionId)
    .where('day_start_ms', '>=', firstDay(query))
    .groupBy('consumer')
    .orderBy('consumer')
    .limit(query.limit)
  if (query.environment !== undefined) rows = rows.where('environment', '=', query.environment)
  if (query.after !== undefined) rows = rows.where('consumer', '>', query.after)
  const found = await rows.execute()
  return found.map(({ consumer, last_seen_at_ms: lastSeenMs, count }) => ({
    consumer,
    lastSeenMs: Number(lastSeenMs),
    count: Number(count),
  }))
}

/** Counts by day of the consumers, the first day first. */
export async function listDays(
  db: Kysely<Tables>,
  versionId: string,
  consumers: readonly string[],
  query: Pick<CallerQuery, 'nowMs' | 'days' | 'environment'>,
): Promise<{ readonly consumer: string; readonly dayStartMs: number; readonly count: number }[]> {
  if (consumers.length === 0) return []
  let rows = db
    .selectFrom('version_callers')
    .select(['consumer', 'day_start_ms'])
    .select(({ fn }) => [fn.sum<number>('count').as('count')])
    .where('version_id', '=', versionId)
    .where('day_start_ms', '>=', firstDay(query))
    .where('consumer', 'in', consumers)
    .groupBy(['consumer', 'day_start_ms'])
    .orderBy('day_start_ms')
  if (query.environment !== undefined) rows = rows.where('environment', '=', query.environment)
  const found = await rows.execute()
  return found.map(({ consumer, day_start_ms: dayStartMs, count }) => ({
    consumer,
    dayStartMs: Number(dayStartMs),
    count: Number(count),
  }))
}

function firstDay({ nowMs, days }: Pick<CallerQuery, 'nowMs' | 'days'>): number {
  return toDayStart(nowMs) - (days - 1) * DAY_MS
}

export interface CallerCount {
  readonly versionId: string
  readonly environment: string
  readonly dayStartMs: number
  readonly consumer: string
  readonly count: number
  readonly lastSeenMs: number
}

/** Adds calls to what is there. */
export async function addCalls(db: Kysely<Tables>, call: CallerCount): Promise<void> {
  const consumer = (await isRoomFor(db, call)) ? call.consumer : OTHER_CALLERS
  await db
    .insertInto('version_callers')
    .values({
      version_id: call.versionId,
      environment: call.environment,
      day_start_ms: call.dayStartMs,
      consumer,
      count: Math.min(call.count, MOST_CALLS),
      last_seen_at_ms: call.lastSeenMs,
    })
    .onConflict((conflict) =>
      conflict.columns(['version_id', 'environment', 'day_start_ms', 'consumer']).doUpdateSet({
        count: sql<number>`CASE WHEN version_callers.count + excluded.count > ${sql.lit(MOST_CALLS)}
          THEN ${sql.lit(MOST_CALLS)} ELSE version_callers.count + excluded.count END`,
        last_seen_at_ms: sql<number>`CASE WHEN excluded.last_seen_at_ms > version_callers.last_seen_at_ms
          THEN excluded.last_seen_at_ms ELSE version_callers.last_seen_at_ms END`,
      }),
    )
    .execute()
}

async function isRoomFor(db: Kysely<Tables>, call: CallerCount): Promise<boolean> {
  const day = db
    .selectFrom('version_callers')
    .where('version_id', '=', call.versionId)
    .where('environment', '=', call.environment)
    .where('day_start_ms', '=', call.dayStartMs)
  const known = await day.select('consumer').where('consumer', '=', call.consumer).executeTakeFirst()
  if (known !== undefined) return true
  const { consumers } = await day.select(({ fn }) => fn.countAll<number>().as('consumers')).executeTakeFirstOrThrow()
  return Number(consumers) < MOST_CONSUMERS
}

/** Forgets what is older than is kept. */
export async function forgetOldCalls(db: Kysely<Tables>, versionId: string, nowMs: number): Promise<void> {
  await db
    .deleteFrom('version_callers')
    .where('version_id', '=', versionId)
    .where('day_start_ms', '<', firstDay({ nowMs, days: KEPT_DAYS }))
    .execute()
}
