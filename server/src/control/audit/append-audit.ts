/** Adds entries to the audit: in the transaction of the change, each chained to the one before by its hash. */
import { hash } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import { toCanonicalJson } from '../../config/canonical-json.ts'
import { rowChunks } from '../../db/chunks.ts'
import type { AuditTable, Tables } from '../../db/tables.ts'
import type { Actor } from '../actor.ts'
import type { AdminRoute, AuditNote, WorkspaceRef } from '../define-route.ts'

interface AuditCircumstances {
  readonly actor: Pick<Actor, 'id'>
  readonly route: Pick<AdminRoute, 'id'>
  readonly workspace: Pick<WorkspaceRef, 'id'>
  readonly address: string
  readonly requestId: string
}

/** The hash before the first entry. */
export const FIRST_HASH = '0'.repeat(64)

/** What an entry keeps of a note. One write may have tens of thousands, and as texts they take a fraction of the memory. */
export type AuditTarget = Pick<Selectable<AuditTable>, 'target_kind' | 'target_id' | 'target_name' | 'before' | 'after'>

export function toAuditTarget({ kind, id, name, before, after }: AuditNote): AuditTarget {
  return {
    target_kind: kind,
    target_id: id,
    target_name: name,
    before: before === undefined ? '' : toCanonicalJson(before),
    after: after === undefined ? '' : toCanonicalJson(after),
  }
}

export async function appendAudit(
  db: Kysely<Tables>,
  nowMs: number,
  { actor, route, workspace, address, requestId }: AuditCircumstances,
  targets: readonly AuditTarget[],
): Promise<void> {
  let last = await db.selectFrom('audit').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1).executeTakeFirst()
  const circumstances = { at_ms: nowMs, actor: actor.id, action: route.id, workspace_id: workspace.id, address }
  for (const some of rowChunks(targets)) {
    const entries = some.map((target) => {
      const { seq, hash: previous } = last ?? { seq: 0, hash: FIRST_HASH }
      const entry = { ...circumstances, ...target, seq: seq + 1, request_id: requestId, previous_hash: previous }
      last = { seq: entry.seq, hash: hashAuditEntry(entry) }
      return { ...entry, hash: last.hash }
    })
    // The store has one writer at a time, so nobody takes these numbers meanwhile; the primary key would refuse them.
    await db.insertInto('audit').values(entries).execute()
  }
}

/** SHA-256 in hex over everything in the entry, the hash before it included. */
export function hashAuditEntry(entry: Omit<Selectable<AuditTable>, 'hash'>): string {
  return hash('sha256', toCanonicalJson(entry))
}
