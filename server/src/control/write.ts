/** The one transaction of an operation: its changes, its audit entry and the memory of its answer stand or fall together. */
import { may, type Actor } from './actor.ts'
import { appendAudit, toAuditTarget, type AuditTarget } from './audit/append-audit.ts'
import type { Control } from './control.ts'
import type { AdminRoute, Answer, Call, WorkspaceRef } from './define-route.ts'
import { rememberAnswer, type Recalled } from './idempotency.ts'

interface WriterParts {
  readonly control: Control
  readonly route: AdminRoute
  readonly actor: Actor
  readonly workspace: WorkspaceRef
  readonly requestId: string
  readonly address: string
  readonly dryRun: boolean
  readonly recalled: Recalled | undefined
}

/** Ends a transaction that is only a rehearsal. */
class DryRun extends Error {
  readonly answer: Answer<unknown>

  constructor(answer: Answer<unknown>) {
    super('a dry run is rolled back')
    this.answer = answer
  }
}

export interface Writer {
  readonly write: Call['write']
  /** Throws when an operation that writes did not, or the other way round. */
  check(): void
}

export function createWriter(parts: WriterParts): Writer {
  const { control, route, dryRun } = parts
  let writes = 0
  const write: Call['write'] = async (work) => {
    if (route.effect === 'read' || ++writes > 1) throw new Error(`${route.id} has no transaction to open`)
    let touched = new Set<string>()
    try {
      const answer = await control.database.write(async (db) => {
        // A conflict makes the store run this again from the start.
        touched = new Set()
        const targets: AuditTarget[] = []
        const last = new Map<string, () => Promise<void>>()
        const result = await work({
          db,
          may: (permission) => may(parts.actor, permission, parts.workspace.id),
          note: (note) => targets.push(toAuditTarget(note)),
          touch: (name) => touched.add(name),
          atEnd: (key, each) => last.set(key, each),
        })
        for (const each of last.values()) await each()
        if (targets.length === 0) throw new Error(`${route.id} changed something without a note for the audit`)
        await appendAudit(db, control.clock.now(), parts, targets)
        if (parts.recalled !== undefined) await rememberAnswer(db, control, parts.recalled, result)
        if (dryRun) throw new DryRun(result)
        return result
      })
      for (const environment of touched) control.feed.hint(environment)
      return answer
    } catch (error) {
      if (!(error instanceof DryRun)) throw error
      // It is the very answer that `work` gave.
      return { ...(error.answer as Awaited<ReturnType<typeof work>>), headers: { 'headgate-dry-run': 'true' } }
    }
  }
  const check = (): void => {
    if (route.effect !== 'read' && writes === 0) throw new Error(`${route.id} did not write`)
  }
  return { write, check }
}
