/**
 * What names OpenAPI documents, by their hash: drafts of versions, and revisions of versions that are there. A revision whose
 * version was removed names nothing, so that removing versions makes room.
 */
import { sql, type ExpressionBuilder, type Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'

/** Each document of each version once. The comparisons are literal ones, by which both stores know their partial indexes. */
export function selectUses(db: Kysely<Tables>) {
  const published = db
    .selectFrom('revisions')
    .innerJoin('resources', 'resources.id', 'revisions.version_id')
    .select(['revisions.workspace_id', 'revisions.version_id', 'revisions.document_hash'])
    .where(sql<boolean>`revisions.document_hash <> ''`)
  return db
    .selectFrom('resources')
    .select(['workspace_id', 'id as version_id', 'document_hash'])
    .where(sql<boolean>`document_hash <> ''`)
    .union(published)
}

/** The condition that something names a row of `documents`, asked row by row. */
export function isUsed(where: ExpressionBuilder<Tables, 'documents'>) {
  const inDraft = where
    .selectFrom('resources')
    .select('resources.id')
    .whereRef('resources.document_hash', '=', 'documents.hash')
    .where(sql<boolean>`resources.document_hash <> ''`)
  const inRevision = where
    .selectFrom('revisions')
    .innerJoin('resources', 'resources.id', 'revisions.version_id')
    .select('revisions.id')
    .whereRef('revisions.document_hash', '=', 'documents.hash')
    .where(sql<boolean>`revisions.document_hash <> ''`)
  return where.or([where.exists(inDraft), where.exists(inRevision)])
}
