/** Events of webhooks: what the audit holds, without its before and after, which not everybody may read. */
import type { Selectable } from 'kysely'
import type { AuditTable } from '../../db/tables.ts'
import { toTime } from '../resources/resource-view.ts'

const VERBS: Readonly<Record<string, string>> = {
  create: 'created',
  replace: 'changed',
  patch: 'changed',
  set: 'changed',
  remove: 'removed',
  revoke: 'revoked',
  approve: 'approved',
  rollback: 'rolled-back',
  apply: 'applied',
  import: 'imported',
}

type Entry = Selectable<AuditTable>

/** Such as `upstream.changed`: the kind of the thing, and what happened to it. */
export function toEventType({ target_kind: kind, before, after, action }: Entry): string {
  if (before !== '' && after !== '') return `${kind}.changed`
  const verb = /^[a-z]+/.exec(action)?.[0] ?? action
  // One operation may create one thing and remove another, as `apply` does: what the entry holds says which.
  if (before !== '') return `${kind}.removed`
  if (after !== '' && (verb === 'apply' || verb === 'import') && kind !== verb) return `${kind}.created`
  return `${kind}.${VERBS[verb] ?? verb}`
}

export function isWanted(patterns: readonly string[], type: string): boolean {
  const kind = type.slice(0, type.indexOf('.'))
  return patterns.some((pattern) => pattern === '*' || pattern === type || pattern === `${kind}.*`)
}

/** The body of a delivery. Whoever wants to know more asks the admin API for the thing, with their own rights. */
export function toEventBody(entry: Entry, workspace: string): string {
  return JSON.stringify({
    type: toEventType(entry),
    timestamp: toTime(entry.at_ms),
    data: {
      workspace,
      kind: entry.target_kind,
      id: entry.target_id,
      name: entry.target_name,
      operation: entry.action,
      actor: entry.actor,
      auditSeq: entry.seq,
      requestId: entry.request_id,
    },
  })
}
