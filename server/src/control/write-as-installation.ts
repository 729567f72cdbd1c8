/** A change that nobody asked for but the installation itself: in the audit as any other, and heard of as any other. */
import type { Transaction } from 'kysely'
import type { Tables } from '../db/tables.ts'
import { appendAudit, toAuditTarget, type AuditTarget } from './audit/append-audit.ts'
import type { Control } from './control.ts'
import type { WorkspaceRef, Write } from './define-route.ts'

export interface OwnChange {
  /** What the audit calls it. */
  readonly action: string
  readonly workspace: WorkspaceRef
  /** Throws when this process may no longer do it. */
  guard(db: Transaction<Tables>): Promise<void>
  work(write: Write): Promise<void>
}

export const INSTALLATION_ACTOR = 'installation'

export async function writeAsInstallation(control: Control, change: OwnChange): Promise<void> {
  let touched = new Set<string>()
  await control.database.write(async (db) => {
    await change.guard(db)
    touched = new Set()
    const targets: AuditTarget[] = []
    const last = new Map<string, () => Promise<void>>()
    await change.work({
      db,
      may: () => true,
      note: (note) => targets.push(toAuditTarget(note)),
      touch: (environment) => touched.add(environment),
      atEnd: (key, each) => last.set(key, each),
    })
    for (const each of last.values()) await each()
    const actor = { id: INSTALLATION_ACTOR }
    const circumstances = {
      actor,
      route: { id: change.action },
      workspace: change.workspace,
      address: '',
      requestId: '',
    }
    await appendAudit(db, control.clock.now(), circumstances, targets)
  })
  for (const environment of touched) control.feed.hint(environment)
}
