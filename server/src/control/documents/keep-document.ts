/**
 * Keeps OpenAPI documents: each text once, however many drafts and revisions name it, and of one workspace no more bytes than
 * the operator allows. What nothing names any more is removed by `remove-documents.ts`.
 */
import type { Kysely } from 'kysely'
import type { ProblemError } from '../../kernel/problem.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { Call, WorkspaceRef, Write } from '../define-route.ts'
import { hashBlob } from '../versions/version-store.ts'
import { workspaceFull } from './document-problems.ts'
import { selectUses } from './document-uses.ts'

const MB = 1024 * 1024
/** Versions that are named as those that keep the most. */
const MOST_SHOWN = 5

/** Keeps the text for a draft that the same transaction writes; returns its SHA-256 in hex. */
export async function keepDocument(
  { control, workspace }: Pick<Call, 'control' | 'workspace'>,
  write: Write,
  text: string,
): Promise<string> {
  const { db } = write
  const hash = hashBlob(text)
  const isNew = !(await isUsedIn(db, workspace, hash))
  await db
    .insertInto('documents')
    .values({ hash, bytes: Buffer.byteLength(text), unused_since_ms: null })
    // Written in any case, so that whoever removes it at the same moment is in conflict with this.
    .onConflict((conflict) => conflict.column('hash').doUpdateSet({ unused_since_ms: null }))
    .execute()
  await db
    .insertInto('blobs')
    .values({ hash, content: text })
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .execute()
  // When all drafts are written: one may take the room that another gives up.
  if (isNew) write.atEnd('room for documents', () => checkRoom(db, workspace, control.documents.mostKeptBytes))
  return hash
}

async function isUsedIn(db: Kysely<Tables>, { id }: WorkspaceRef, hash: string): Promise<boolean> {
  const found = await db
    .selectFrom(selectUses(db).as('uses'))
    .select('document_hash')
    .where('workspace_id', '=', id)
    .where('document_hash', '=', hash)
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}

/** A document counts once, however many versions of the workspace name it. */
async function checkRoom(db: Kysely<Tables>, workspace: WorkspaceRef, mostBytes: number): Promise<void> {
  const used = db.selectFrom(selectUses(db).as('uses')).select('document_hash').where('workspace_id', '=', workspace.id)
  const { bytes } = await db
    .selectFrom('documents')
    .select(({ fn }) => fn.sum<number | null>('bytes').as('bytes'))
    .where('hash', 'in', used)
    .executeTakeFirstOrThrow()
  if (Number(bytes) <= mostBytes) return
  const detail = `It would keep ${toMb(Number(bytes))} of documents in the drafts and revisions of its versions; ${toMb(mostBytes)} are allowed.`
  refuse(workspaceFull({ detail, errors: await findLargest(db, workspace) }))
}

/** Where there is the most to gain. */
async function findLargest(db: Kysely<Tables>, { id }: WorkspaceRef): Promise<ProblemError[]> {
  const rows = await db
    .selectFrom(selectUses(db).as('uses'))
    .innerJoin('documents', 'documents.hash', 'uses.document_hash')
    .innerJoin('resources as versions', 'versions.id', 'uses.version_id')
    .innerJoin('resources as apis', 'apis.id', 'versions.parent_id')
    .where('uses.workspace_id', '=', id)
    .groupBy(['versions.id', 'versions.name', 'apis.name'])
    .select(['apis.name as api', 'versions.name as version'])
    .select(({ fn }) => [fn.sum<number>('documents.bytes').as('bytes'), fn.countAll<number>().as('documents')])
    .orderBy('bytes', 'desc')
    .orderBy('versions.id')
    .limit(MOST_SHOWN)
    .execute()
  return rows.map(({ api, version, bytes, documents }) => {
    const many = Number(documents) === 1 ? 'one document' : `${documents} documents`
    return { pointer: '', detail: `${api} ${version} keeps ${toMb(Number(bytes))} in ${many}` }
  })
}

function toMb(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`
}
