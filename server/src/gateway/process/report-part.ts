/** One of the things that a gateway tells control of every second, and what control answers to it. */
import type { GatewayReport, ReportAnswer } from '../../kernel/control-protocol.ts'

export interface ReportPart {
  /**
   * What to add to the next report: at most a few hundred kilobytes, what does not fit waits for the one after. Every
   * call is followed by `taken` or `lost` before the next one.
   */
  take(): Partial<GatewayReport>
  /** Control has it in its store; `answer` is its whole answer. */
  taken(answer: ReportAnswer): void
  /** Control is away, or whether it took it is unknown: it is told again with the next report. */
  lost(): void
}
