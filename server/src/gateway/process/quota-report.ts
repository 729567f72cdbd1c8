/** Tells control what this gateway counted for quotas, and hears what all others did. */
import { MOST_QUOTA_TOTALS, type GatewayReport, type ReportAnswer } from '../../kernel/control-protocol.ts'
import type { QuotaLedger } from '../../kernel/quota-ledger.ts'
import type { ReportPart } from './report-part.ts'

export class QuotaReport implements ReportPart {
  private readonly ledger: QuotaLedger
  /** Up to where control has told the sums; a process that starts asks for all of them. */
  private after = 0

  constructor(ledger: QuotaLedger) {
    this.ledger = ledger
  }

  take(): Partial<GatewayReport> {
    const totals = this.ledger.offerTotals(MOST_QUOTA_TOTALS)
    return {
      quotas: {
        after: this.after,
        totals: totals.map(({ policy, key, periodStartMs, periodEndMs, own }) => {
          return [policy, key, periodStartMs, periodEndMs, own]
        }),
      },
    }
  }

  taken({ quotas }: ReportAnswer): void {
    // Without an answer control is an older one, which adds nothing up.
    if (quotas === undefined) return this.lost()
    this.ledger.delivered()
    this.after = quotas.upTo
    this.ledger.applySums(
      quotas.sums.map(([policy, key, periodStartMs, periodEndMs, own, others]) => {
        return { policy, key, periodStartMs, periodEndMs, own, others }
      }),
    )
  }

  lost(): void {
    this.ledger.undelivered()
  }
}
