/** Walks the chain of the audit: an entry that was changed, removed, put in or moved breaks it there. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { FIRST_HASH, hashAuditEntry } from './append-audit.ts'

export interface AuditVerdict {
  readonly whole: boolean
  /** How many entries are right, from the first. */
  readonly entries: number
  readonly fault?: { readonly seq: number; readonly detail: string }
}

const PAGE = 1_000

export async function verifyAudit(db: Kysely<Tables>): Promise<AuditVerdict> {
  let expectedSeq = 1
  let previousHash = FIRST_HASH
  for (;;) {
    const rows = await db
      .selectFrom('audit')
      .selectAll()
      .where('seq', '>=', expectedSeq)
      .orderBy('seq')
      .limit(PAGE)
      .execute()
    for (const { hash, ...entry } of rows) {
      const fault =
        entry.seq !== expectedSeq
          ? `entry ${expectedSeq} is missing`
          : entry.previous_hash !== previousHash
            ? 'does not follow from the entry before it'
            : hashAuditEntry(entry) !== hash
              ? 'was changed after it was written'
              : undefined
      if (fault !== undefined) {
        return { whole: false, entries: expectedSeq - 1, fault: { seq: entry.seq, detail: fault } }
      }
      previousHash = hash
      expectedSeq++
    }
    if (rows.length < PAGE) return { whole: true, entries: expectedSeq - 1 }
  }
}
