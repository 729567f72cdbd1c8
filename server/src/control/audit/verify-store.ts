/** Verifies the audit of a store without a control plane: whoever runs one could answer what they like. */
import type { Log } from '../../kernel/log.ts'
import { openDatabase } from '../../db/client.ts'
import { findContradiction, headPath, isRightHead, readHead, type AuditHead } from './audit-head.ts'
import { verifyAudit, type AuditVerdict } from './verify-audit.ts'

export interface VerifyStoreOptions {
  /** Where the embedded store lies, and the head that control keeps. */
  readonly dataDir: string
  /** PostgreSQL instead of the embedded store. */
  readonly databaseUrl: string | undefined
  /** More heads, exported before. */
  readonly heads: readonly string[]
  readonly log: Log
}

export interface StoreVerdict extends AuditVerdict {
  /** The heads that the audit was compared with. */
  readonly heads: readonly Pick<AuditHead, 'seq' | 'at' | 'publicKey'>[]
}

/** Throws when the store or a head cannot be read. */
export async function verifyStore(options: VerifyStoreOptions): Promise<StoreVerdict> {
  const { dataDir, databaseUrl, log } = options
  const kept = readHead(headPath(dataDir))
  const heads = [...(kept === undefined ? [] : [kept]), ...options.heads.map(readGiven)]
  const database = await openDatabase({ url: databaseUrl, folder: dataDir, log, mustExist: true })
  try {
    const verdict = await verifyAudit(database.read)
    const shown = heads.map(({ seq, at, publicKey }) => ({ seq, at, publicKey }))
    if (!verdict.whole) return { ...verdict, heads: shown }
    for (const head of heads) {
      const reason = isRightHead(head)
        ? await findContradiction(database.read, head)
        : 'has a head with a wrong signature'
      if (reason !== undefined) {
        return { ...verdict, whole: false, fault: { seq: head.seq, detail: reason }, heads: shown }
      }
    }
    return { ...verdict, heads: shown }
  } finally {
    await database.close()
  }
}

function readGiven(path: string): AuditHead {
  const head = readHead(path)
  if (head === undefined) throw new Error(`There is no file ${path}.`)
  return head
}
