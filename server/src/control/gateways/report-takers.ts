/** Who takes which part of a gateway's report: counts, statistics. Each stands in a file with the noun that it serves. */
import type { Kysely } from 'kysely'
import type { GatewayReport, ReportAnswer } from '../../kernel/control-protocol.ts'
import type { Tables } from '../../db/tables.ts'
import type { Control } from '../control.ts'
import { callerTaker } from '../callers/take-callers.ts'
import { deploymentCountsTaker } from '../deployments/deployment-counts.ts'
import { quotaTaker } from '../quotas/take-quota-totals.ts'

export interface ReportFrom {
  readonly id: string
  readonly environment: string
}

export interface ReportTaker {
  /**
   * In the transaction that keeps the report: inside stand queries alone. Returns its part of the answer. The same report
   * may come twice, when the first answer was lost on its way.
   */
  take(parts: {
    readonly db: Kysely<Tables>
    readonly control: Control
    readonly gateway: ReportFrom
    readonly report: GatewayReport
  }): Promise<Partial<ReportAnswer>>
}

export const reportTakers: readonly ReportTaker[] = [deploymentCountsTaker, quotaTaker, callerTaker]
