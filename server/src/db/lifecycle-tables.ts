/** Where versions stand in their life, and who calls those that go. */
import type { Changeable } from './tables.ts'

export interface LifecycleTables {
  lifecycles: LifecycleTable
  version_callers: VersionCallerTable
  caller_batches: CallerBatchTable
}

/** Where a version stands in its life; one without a row is being designed. */
export interface LifecycleTable extends Changeable {
  version_id: string
  /** design, mock, published, deprecated, retired */
  state: string
  deprecated_at_ms: number | null
  sunset_at_ms: number | null
  /** Page about the change; empty for none. */
  link: string
  /** Address of the version to move to; empty for none. */
  successor: string
  /** Why it is in this state. */
  reason: string
  changed_by: string
}

/** Requests for a version that goes, by consumer and day (UTC). */
export interface VersionCallerTable {
  version_id: string
  environment: string
  day_start_ms: number
  /** Name of the consumer; empty for nobody that is known. */
  consumer: string
  count: number
  last_seen_at_ms: number
}

/** The counts of callers that a gateway told last, so that the same ones are not added twice. */
export interface CallerBatchTable {
  gateway_id: string
  batch: string
}
