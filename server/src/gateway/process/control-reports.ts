/** What a gateway tells its control plane of itself every second, and what becomes of it. */
import { ZodError } from 'zod'
import { MOST_REFUSED_CHARS, reportAnswer, type GatewayReport } from '../../kernel/control-protocol.ts'
import type { Log } from '../../kernel/log.ts'
import type { ProcessState } from './config-source.ts'
import { ControlRefusal, type ControlLink } from './control-link.ts'
import type { ReportPart } from './report-part.ts'

export interface ControlReportsOptions {
  readonly link: ControlLink
  /** Version of Headgate. */
  readonly version: string
  readonly log: Log
  readonly everyMs?: number
}

const REPORT_MS = 1_000
/** So many in a row that fail are said as well, whatever the reason: whoever asks for changes may be answered all the while. */
const MOST_FAILURES = 30

export class ControlReports {
  private readonly options: ControlReportsOptions
  private timer: NodeJS.Timeout | undefined
  private isReporting = false
  private isRefused = false
  private failures = 0

  constructor(options: ControlReportsOptions) {
    this.options = options
  }

  /** Reports from now on, until `stop`. */
  begin(state: () => ProcessState, parts: readonly ReportPart[]): void {
    this.timer ??= setInterval(() => {
      if (!this.isReporting) void this.report(state(), parts)
    }, this.options.everyMs ?? REPORT_MS)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  /** One after the other, so that a part is told of each of its reports before the next one. */
  private async report(state: ProcessState, parts: readonly ReportPart[]): Promise<void> {
    const { link, version, log } = this.options
    const { version: root, refused, ...rest } = state
    // Why a snapshot does not compile may be a long story, and control takes no report with more of it.
    const told = refused.slice(0, MOST_REFUSED_CHARS)
    const report: Partial<GatewayReport> = { ...rest, root, refused: told, version }
    this.isReporting = true
    try {
      for (const part of parts) Object.assign(report, part.take())
      const answer = reportAnswer.parse(await link.ask('report', report, 0))
      for (const part of parts) part.taken(answer)
      if (this.isRefused) log.info('the control plane takes the reports of this gateway again')
      this.isRefused = false
      this.failures = 0
    } catch (cause) {
      for (const part of parts) part.lost()
      this.refused(cause)
    } finally {
      this.isReporting = false
    }
  }

  /** Said once. When control is away for a moment, whoever asks it for changes says that; the next report follows in a second. */
  private refused(cause: unknown): void {
    this.failures++
    if (this.isRefused || (!isAnswered(cause) && this.failures < MOST_FAILURES)) return
    this.isRefused = true
    this.options.log.warn(
      { err: cause },
      'the control plane does not take the reports of this gateway; what they count is kept and told again',
    )
  }
}

/** Whether control is there: it refused, or its answer is not JSON, or not the JSON that was to be expected. */
function isAnswered(cause: unknown): boolean {
  return cause instanceof ControlRefusal || cause instanceof SyntaxError || cause instanceof ZodError
}
