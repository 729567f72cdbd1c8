/** Keeps the counts of quotas of a gateway process: collects them from the workers and saves them, every second. */
import type { Clock } from '../../kernel/clock.ts'
import type { PolicyLog } from '../../kernel/policy-services.ts'
import { QuotaLedger } from '../../kernel/quota-ledger.ts'
import { QuotaFile } from './quota-file.ts'

const SAVE_MS = 1_000

export interface QuotaKeeperOptions {
  readonly memory: SharedArrayBuffer
  readonly clock: Clock
  readonly path: string
  readonly log: PolicyLog
}

export class QuotaKeeper {
  /** For whoever tells the workers' names, and for whoever adds up gateways. */
  readonly ledger: QuotaLedger
  private readonly file: QuotaFile
  private readonly log: PolicyLog
  private readonly path: string
  private timer: NodeJS.Timeout | undefined
  private saving: Promise<void> = Promise.resolve()
  private isBusy = false
  private isFailing = false

  constructor({ memory, clock, path, log }: QuotaKeeperOptions) {
    this.ledger = new QuotaLedger(memory, clock)
    this.file = new QuotaFile(path)
    this.path = path
    this.log = log
  }

  /** Goes on with what was saved; before any worker counts. A file that cannot be read never keeps a gateway down. */
  async start(): Promise<void> {
    try {
      this.ledger.restore(await this.file.read())
    } catch (cause) {
      this.log.warn({ err: cause, path: this.path }, 'the saved counts of quotas cannot be read, they begin anew')
    }
    this.timer = setInterval(() => {
      if (!this.isBusy) this.saving = this.save()
    }, SAVE_MS)
  }

  /** Saves what the workers counted last. */
  async stop(): Promise<void> {
    clearInterval(this.timer)
    await this.saving
    await this.save()
  }

  private async save(): Promise<void> {
    this.isBusy = true
    try {
      this.ledger.collect()
      await this.file.save(this.ledger.takeChanges(), this.ledger)
      this.isFailing = false
    } catch (cause) {
      // Once and not every second: the next save that succeeds writes everything.
      if (!this.isFailing) this.log.warn({ err: cause, path: this.path }, 'the counts of quotas cannot be saved')
      this.isFailing = true
    } finally {
      this.isBusy = false
    }
  }
}
