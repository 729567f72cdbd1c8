/**
 * Quotas: counts for each period of the calendar that hold over all gateways and outlive a restart. A gateway counts
 * exactly over its threads, knows the sum of all others as of the last exchange, and decides on both together.
 */
import type { CalendarPeriod } from './calendar.ts'
import type { Limiter } from './counters.ts'

/** Highest limit and cost of a quota. */
export const maxQuota = 1_000_000_000_000

export interface Quotas {
  /**
   * `limit` in each period that `periodAt` gives. A count is found by `policyId`, key and period, so it outlives reloads
   * and the limit may change in between. With `countsBeyond` a refused take is counted as well.
   */
  calendar(policyId: string, limit: number, periodAt: (nowMs: number) => CalendarPeriod, countsBeyond: boolean): Limiter
}

/** What is counted: the same in all gateways, whatever thread or process counts. */
export interface QuotaName {
  /** Id of the policy's entry. */
  readonly policy: string
  readonly key: string
  readonly periodStartMs: number
  readonly periodEndMs: number
}

/** What one gateway counted of a name, from the beginning of its period: it only grows, so it may be told twice. */
export interface QuotaTotal extends QuotaName {
  readonly own: number
}

/** What is known of a name: by the gateway itself, and by all others as of the last exchange. Outlives a restart. */
export interface QuotaState extends QuotaTotal {
  readonly others: number
}
