/** Adds an entry to the audit: in the transaction of the change, chained to the entry before by its hash. */
import { hash } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import { toCanonicalJson } from '../../config/canonical-json.ts'
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

export async function appendAudit(
  db: Kysely<Tables>,
  nowMs: number,
  { actor, route, workspace, address, requestId }: AuditCircumstances,
  note: AuditNote,
): Promise<void> {
  const last = await db.selectFrom('audit').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1).executeTakeFirst()
  const entry = {
    seq: (last?.seq ?? 0) + 1,
    at_ms: nowMs,
    actor: actor.id,
    action: route.id,
    workspace_id: workspace.id,
    target_kind: note.kind,
    target_id: note.id,
    target_name: note.name,
    before: note.before === undefined ? '' : toCanonicalJson(note.before),
    after: note.after === undefined ? '' : toCanonicalJson(note.after),
    address,
    request_id: requestId,
    previous_hash: last?.hash ?? FIRST_HASH,
  }
  // The store has one writer at a time, so nobody takes this number meanwhile; the primary key would refuse it.
  await db
    .insertInto('audit')
    .values({ ...entry, hash: hashAuditEntry(entry) })
    .execute()
}

/** SHA-256 in hex over everything in the entry, the hash before it included. */
export function hashAuditEntry(entry: Omit<Selectable<AuditTable>, 'hash'>): string {
  return hash('sha256', toCanonicalJson(entry))
}
