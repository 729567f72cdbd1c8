/**
 * Takes canaries from step to step and back when they are worse than allowed. One of all control processes does it; what
 * it knows is in the store, so another one, or the next start, goes on where it stopped.
 */
import { randomUUID } from 'node:crypto'
import { createLease, LeaseLostError, type Lease } from '../../db/lease.ts'
import { createBackgroundLoop, type BackgroundLoop } from '../background-loop.ts'
import type { Control } from '../control.ts'
import type { WorkspaceRef } from '../define-route.ts'
import { writeAsInstallation } from '../write-as-installation.ts'
import { CountWindow, forgetCounts } from './deployment-counts.ts'
import { getDeployment, type NamedDeployment } from './deployment-store.ts'
import { judgeCanary, type Verdict } from './judge-canary.ts'
import { readPlan, type KeptPlan } from './release-plan.ts'
import { promote, takeBack, withdraw } from './release.ts'

const LOOK_MS = 1_000
const LEASE_MS = 5_000
/** Longer than any window. */
const COUNTS_MS = 1_000_000
const FORGET_MS = 60_000

export class ReleaseKeeper {
  private readonly control: Control
  private readonly lease: Lease
  private readonly loop: BackgroundLoop
  private forgotAtMs = -Infinity
  /** What was counted of the deployments that this look judges, and of those that the one before did. */
  private windows = new Map<string, CountWindow>()
  private before = new Map<string, CountWindow>()

  constructor(control: Control) {
    this.control = control
    const options = { holder: randomUUID(), durationMs: LEASE_MS }
    this.lease = createLease(control.database, 'releases', control.clock, options)
    const { log } = control
    this.loop = createBackgroundLoop({ what: 'releases', everyMs: LOOK_MS, log, run: () => this.look() })
  }

  start(): void {
    this.loop.start()
  }

  async close(): Promise<void> {
    await this.loop.stop()
    // Whoever comes next need not wait for it to run out; a store that is away lets it run out.
    await this.lease.release().catch(() => undefined)
  }

  /** One look at everything that is under way. */
  async look(): Promise<void> {
    const { control, lease } = this
    const { read } = control.database
    const due = await read
      .selectFrom('deployments')
      .innerJoin('workspaces', 'workspaces.id', 'deployments.workspace_id')
      .select(['deployments.id', 'deployments.state', 'workspaces.id as workspace_id', 'workspaces.name as workspace'])
      .where((where) =>
        where.or([
          where('deployments.state', '=', 'progressing'),
          where.and([
            where('deployments.state', '=', 'awaiting-approval'),
            where('deployments.expires_at_ms', '<=', control.clock.now()),
          ]),
        ]),
      )
      .execute()
    await this.forget()
    this.before = this.windows
    this.windows = new Map()
    if (due.length === 0) return lease.release()
    if (!(await lease.acquire())) return
    const failures: unknown[] = []
    for (const { id, state, workspace_id: workspaceId, workspace } of due) {
      const ref = { id: workspaceId, name: workspace }
      try {
        if (state === 'progressing') await this.advance(ref, await getDeployment(read, ref, id))
        else await this.expire(ref, id)
      } catch (cause) {
        if (cause instanceof LeaseLostError) throw cause
        // The others are judged all the same: they may be of other tenants.
        failures.push(cause)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'these canaries stay as they are')
  }

  /** Also while nothing is judged: revisions that stand side by side for weeks are counted every second. */
  private async forget(): Promise<void> {
    const { database, clock } = this.control
    if (clock.monotonicMs() - this.forgotAtMs < FORGET_MS) return
    this.forgotAtMs = clock.monotonicMs()
    await forgetCounts(database, clock.now() - COUNTS_MS)
  }

  private async advance(workspace: WorkspaceRef, row: NamedDeployment): Promise<void> {
    const plan = readPlan(row)
    const { canary, step, stepAtMs } = plan
    if (canary === undefined) return
    const nowMs = this.control.clock.now()
    const sinceMs = Math.max(stepAtMs, nowMs - canary.bounds.windowSeconds * 1000)
    const { read } = this.control.database
    const fresh = await this.windowOf(row.id).sum(read, sinceMs)
    const old = await this.windowOf(row.previous_id).sum(read, sinceMs)
    const verdict = judgeCanary(canary.bounds, fresh, old)
    const { pauseSeconds } = canary.steps[step] ?? {}
    const isOver = pauseSeconds !== undefined && nowMs >= stepAtMs + pauseSeconds * 1000
    if (verdict.kind === 'worse') await this.rollBack(workspace, row, verdict)
    else if (isOver && verdict.kind === 'good') await this.takeStep(workspace, row, plan, verdict)
  }

  private windowOf(deployment: string): CountWindow {
    const known = this.windows.get(deployment) ?? this.before.get(deployment) ?? new CountWindow(deployment)
    this.windows.set(deployment, known)
    return known
  }

  private rollBack(workspace: WorkspaceRef, row: NamedDeployment, { reason }: Verdict): Promise<void> {
    this.control.log.warn({ deployment: row.id, reason }, 'a canary is rolled back')
    return this.change('rollBackCanary', workspace, row, (parts) => withdraw(parts, 'rolled-back', reason))
  }

  private takeStep(workspace: WorkspaceRef, row: NamedDeployment, plan: KeptPlan, verdict: Verdict): Promise<void> {
    const percent = plan.canary?.steps[plan.step + 1]?.percent ?? 100
    return this.change('promoteCanary', workspace, row, (parts) => promote(parts, percent, verdict.reason))
  }

  private async change(
    action: string,
    workspace: WorkspaceRef,
    seen: NamedDeployment,
    work: (parts: Parameters<typeof withdraw>[0]) => Promise<NamedDeployment>,
  ): Promise<void> {
    await writeAsInstallation(this.control, {
      action,
      workspace,
      guard: (db) => this.lease.guard(db),
      work: async (write) => {
        const fresh = await getDeployment(write.db, workspace, seen.id)
        // Somebody was faster: what was judged is no longer what is there.
        if (fresh.version !== seen.version) return
        await work({ write, workspace, nowMs: this.control.clock.now(), fresh })
      },
    })
  }

  private expire(workspace: WorkspaceRef, id: string): Promise<void> {
    return writeAsInstallation(this.control, {
      action: 'expireApproval',
      workspace,
      guard: (db) => this.lease.guard(db),
      work: async (write) => {
        const fresh = await getDeployment(write.db, workspace, id)
        if (fresh.state !== 'awaiting-approval') return
        const parts = { write, workspace, fresh, nowMs: this.control.clock.now() }
        await takeBack(parts, 'nobody approved it in time', 'expired')
      },
    })
  }
}
