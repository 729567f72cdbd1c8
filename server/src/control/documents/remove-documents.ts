/**
 * Removes the OpenAPI documents that no draft and no revision names any more. One of all control processes does it. First a
 * document is marked, and what has been marked for a while goes: whoever has just read its hash still finds it.
 */
import { randomUUID } from 'node:crypto'
import { createLease, type Lease } from '../../db/lease.ts'
import { createBackgroundLoop } from '../background-loop.ts'
import type { Control } from '../control.ts'
import { isUsed } from './document-uses.ts'

type RemovingControl = Pick<Control, 'database' | 'clock' | 'log'>

const EVERY_MS = 3_600_000
/** Longer than any operation takes that reads a hash and then the text. */
export const KEPT_UNUSED_MS = 3_600_000
const LEASE_MS = 300_000
/** What one transaction marks or removes: others wait for it, or it for them. */
const MOST_ROWS = 500
const MOST_BYTES = 64 * 1024 * 1024

export interface DocumentRemover {
  /** Marks and removes once, unless another process is about it. */
  run(): Promise<void>
  start(): void
  close(): Promise<void>
}

export function createDocumentRemover(control: RemovingControl): DocumentRemover {
  const { database, clock, log } = control
  const lease = createLease(database, 'documents', clock, { holder: randomUUID(), durationMs: LEASE_MS })
  const run = async (): Promise<void> => {
    if (!(await lease.acquire())) return
    await markUnused(control, lease)
    const removed = await removeMarked(control, lease)
    if (removed > 0) log.info({ documents: removed }, 'documents that nothing names were removed')
    await lease.release()
  }
  const loop = createBackgroundLoop({ what: 'unused documents', everyMs: EVERY_MS, log, run })
  return {
    run,
    start: loop.start,
    async close() {
      await loop.stop()
      // A store that is away lets it run out.
      await lease.release().catch(() => undefined)
    },
  }
}

/** Found outside of a transaction, so that nobody waits for the search, and looked at again in one. */
async function markUnused({ database, clock }: RemovingControl, lease: Lease): Promise<void> {
  const documents = database.read.selectFrom('documents').select(['hash', 'bytes'])
  const again = await documents.where('unused_since_ms', 'is not', null).where(isUsed).execute()
  const fresh = await documents
    .where('unused_since_ms', 'is', null)
    .where((where) => where.not(isUsed(where)))
    .execute()
  const nowMs = clock.now()
  for (const hashes of toBatches(again)) {
    await database.write(async (db) => {
      await lease.guard(db)
      const marked = db.updateTable('documents').set({ unused_since_ms: null }).where('hash', 'in', hashes)
      await marked.where(isUsed).execute()
    })
  }
  for (const hashes of toBatches(fresh)) {
    await database.write(async (db) => {
      await lease.guard(db)
      const unmarked = db.updateTable('documents').set({ unused_since_ms: nowMs }).where('hash', 'in', hashes)
      await unmarked.where((where) => where.not(isUsed(where))).execute()
    })
  }
}

/** How many it removed. */
async function removeMarked({ database, clock }: RemovingControl, lease: Lease): Promise<number> {
  const before = clock.now() - KEPT_UNUSED_MS
  const due = await database.read
    .selectFrom('documents')
    .select(['hash', 'bytes'])
    .where('unused_since_ms', '<=', before)
    .execute()
  let removed = 0
  for (const hashes of toBatches(due)) {
    removed += await database.write(async (db) => {
      await lease.guard(db)
      const marked = db.deleteFrom('documents').where('hash', 'in', hashes).where('unused_since_ms', '<=', before)
      const gone = await marked
        .where((where) => where.not(isUsed(where)))
        .returning('hash')
        .execute()
      const names = gone.map(({ hash }) => hash)
      if (names.length > 0) await db.deleteFrom('blobs').where('hash', 'in', names).execute()
      return names.length
    })
  }
  return removed
}

function toBatches(rows: readonly { readonly hash: string; readonly bytes: number }[]): string[][] {
  const batches: string[][] = []
  let room = 0
  for (const { hash, bytes } of rows) {
    const last = batches.at(-1)
    room -= bytes
    if (last === undefined || room < 0 || last.length === MOST_ROWS) {
      batches.push([hash])
      room = MOST_BYTES - bytes
    } else last.push(hash)
  }
  return batches
}
