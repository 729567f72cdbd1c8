/**
 * The one table of configuration: every noun that people write is a row with a kind, a name and a JSON document. Reads
 * and writes of all nouns go through here, so paging, search, versions and names work the same everywhere.
 */
import { sql, type Kysely, type Selectable } from 'kysely'
import { z } from 'zod'
import { keyChunks, rowChunks, findInChunks } from '../../db/chunks.ts'
import type { ResourceTable, Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import { notFound, preconditionFailed, taken } from '../problems.ts'
import { readCursor, toCursor } from './cursor.ts'
import { toFacetConditions, toFacets, type FacetQuery } from './facets.ts'
import { documentOf } from './resource-view.ts'

/** A row without what the store keeps beside it to find it by. */
export type Resource = Omit<Selectable<ResourceTable>, 'facets' | 'document_hash'>

/** Where a resource stands: its workspace, kind and parent. */
export interface Shelf {
  readonly workspaceId: string
  readonly kind: string
  /** Id of the thing that it is part of; empty for none. */
  readonly parentId: string
}

export interface ResourcePage {
  readonly rows: readonly Resource[]
  /** Where the next page begins; undefined on the last. */
  readonly next: string | undefined
}

export const SORTS = ['name', '-name', 'updatedAt', '-updatedAt', 'createdAt', '-createdAt'] as const

type Sort = (typeof SORTS)[number]

const COLUMNS = { name: 'name', updatedAt: 'updated_at_ms', createdAt: 'created_at_ms' } as const

export interface ResourceQuery extends FacetQuery {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly sort: Sort
  /** Words that must all be found. */
  readonly search?: string | undefined
  readonly environment?: string | undefined
}

export async function findResource(
  db: Kysely<Tables>,
  { workspaceId, kind, parentId }: Shelf,
  name: string,
  environment = '',
): Promise<Resource | undefined> {
  return db
    .selectFrom('resources')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('kind', '=', kind)
    .where('parent_id', '=', parentId)
    .where('environment', '=', environment)
    .where('name', '=', name)
    .executeTakeFirst()
}

/** What counts of these names in an environment, by name: the one for it alone, else the one for all. */
export async function findEffective(
  db: Kysely<Tables>,
  { workspaceId, kind, parentId }: Shelf,
  names: Iterable<string>,
  environment: string,
): Promise<ReadonlyMap<string, Resource>> {
  const rows = await findInChunks(names, (some) =>
    db
      .selectFrom('resources')
      .selectAll()
      .where('workspace_id', '=', workspaceId)
      .where('kind', '=', kind)
      .where('parent_id', '=', parentId)
      .where('environment', 'in', ['', environment])
      .where('name', 'in', some)
      .execute(),
  )
  const [own, general] = [rows.filter((row) => row.environment !== ''), rows.filter((row) => row.environment === '')]
  return new Map([...general, ...own].map((row) => [row.name, row]))
}

/** Where it stands. */
export function shelfOf({ workspace_id: workspaceId, kind, parent_id: parentId }: Resource): Shelf {
  return { workspaceId, kind, parentId }
}

/** The resource; refuses with 404 when there is none. */
export async function getResource(db: Kysely<Tables>, shelf: Shelf, name: string, environment = ''): Promise<Resource> {
  const found = await findResource(db, shelf, name, environment)
  const where = environment === '' ? '' : ` for the environment ${environment}`
  return found ?? refuse(notFound({ detail: `There is no ${shelf.kind} ${JSON.stringify(name)}${where}.` }))
}

/** By what a list is sorted, and the id. */
const place = z.tuple([z.union([z.string(), z.number()]), z.string()])

export async function listResources(db: Kysely<Tables>, shelf: Shelf, query: ResourceQuery): Promise<ResourcePage> {
  const isDescending = query.sort.startsWith('-')
  // The sign aside, a sort is one of the columns' names.
  const column = COLUMNS[query.sort.replace('-', '') as keyof typeof COLUMNS]
  let rows = db
    .selectFrom('resources')
    .selectAll()
    .where('workspace_id', '=', shelf.workspaceId)
    .where('kind', '=', shelf.kind)
    .where('parent_id', '=', shelf.parentId)
  if (query.environment !== undefined) rows = rows.where('environment', '=', query.environment)
  for (const word of (query.search ?? '').toLowerCase().split(/\s+/).filter(Boolean)) {
    rows = rows.where(sql<boolean>`search LIKE ${`%${word.replaceAll(/[\\%_]/g, '\\$&')}%`} ESCAPE '\\'`)
  }
  for (const condition of toFacetConditions(query)) rows = rows.where(condition)
  if (query.cursor !== undefined) {
    const [at, id] = readCursor(query.cursor, place)
    const sign = sql.raw(isDescending ? '<' : '>')
    rows = rows.where(sql<boolean>`(${sql.ref(column)}, id) ${sign} (${at}, ${id})`)
  }
  const direction = isDescending ? 'desc' : 'asc'
  const found = await rows
    .orderBy(column, direction)
    .orderBy('id', direction)
    .limit(query.limit + 1)
    .execute()
  const page = found.slice(0, query.limit)
  const last = page.at(-1)
  const next = found.length > page.length && last !== undefined ? toCursor([last[column], last.id]) : undefined
  return { rows: page, next }
}

export function insertResource(db: Kysely<Tables>, row: Resource): Promise<void> {
  return insertResources(db, [row])
}

/** New ones of one shelf and environment; refuses the first whose name is taken. */
export async function insertResources(db: Kysely<Tables>, rows: readonly Resource[]): Promise<void> {
  const [first] = rows
  if (first === undefined) return
  const { environment } = first
  const names = rows.map(({ name }) => name)
  const known = await findEffective(db, shelfOf(first), names, environment)
  const twin = names.find((name) => known.get(name)?.environment === environment)
  if (twin !== undefined) refuse(taken({ detail: `There is a ${first.kind} ${JSON.stringify(twin)} already.` }))
  for (const some of rowChunks(rows)) {
    const values = some.map((row) => ({ ...row, ...toFound(row) }))
    await db.insertInto('resources').values(values).execute()
  }
}

/** Writes the row over the one that was read; refuses with 412 when that is not the version that the caller knows. */
export async function replaceResource(
  db: Kysely<Tables>,
  before: Resource,
  changes: Partial<Pick<Resource, 'spec' | 'search' | 'source' | 'name'>> &
    Pick<Resource, 'updated_by' | 'updated_at_ms'>,
  expectedVersion: number | undefined,
): Promise<Resource> {
  checkVersion(before, expectedVersion)
  const after: Resource = { ...before, ...changes, version: before.version + 1 }
  const { numUpdatedRows } = await db
    .updateTable('resources')
    .set({ ...after, ...toFound(after) })
    .where('id', '=', before.id)
    .where('version', '=', before.version)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) refuse(preconditionFailed())
  return after
}

/** What a row is found by, out of its document. */
function toFound(row: Resource) {
  const document = documentOf(row)
  const specHash = row.kind === 'version' ? document['specHash'] : undefined
  return { facets: toFacets(document), document_hash: typeof specHash === 'string' ? specHash : '' }
}

export function removeResource(db: Kysely<Tables>, row: Resource, expectedVersion: number | undefined): Promise<void> {
  checkVersion(row, expectedVersion)
  return removeResources(db, [row])
}

export async function removeResources(db: Kysely<Tables>, rows: readonly Resource[]): Promise<void> {
  for (const some of keyChunks(rows.map(({ id }) => id))) {
    await db.deleteFrom('resources').where('id', 'in', some).execute()
  }
}

/** Refuses with 412 when the caller's `If-Match` names another version. */
export function checkVersion({ version }: { readonly version: number }, expectedVersion: number | undefined): void {
  if (expectedVersion === undefined || expectedVersion === version) return
  refuse(preconditionFailed({ detail: `It has the version "${version}" now.` }))
}
