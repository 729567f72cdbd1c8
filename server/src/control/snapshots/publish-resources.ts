/** Brings resources into the snapshot of every environment that they are for. */
import { keyChunks } from '../../db/chunks.ts'
import { toLines } from '../../config/snapshot-lines.ts'
import type { SnapshotLine } from '../../kernel/snapshot-tree.ts'
import { listEnvironmentNames } from '../environments/environment-names.ts'
import type { Change, SnapshotPart } from '../resources/define-collection.ts'
import { findEffective, shelfOf, type Resource } from '../resources/resource-store.ts'
import { documentOf } from '../resources/resource-view.ts'
import { compileDocument } from './compile-lines.ts'
import { publishLines, publishUnapproved } from './publish-lines.ts'
import { toSnapshotName } from './snapshot-names.ts'

type Publishing = Pick<Change, 'control' | 'workspace' | 'write'>

/** Lines of resources by their ids. */
type CompiledLines = Map<string, readonly SnapshotLine[]>

/**
 * Of one kind, as they are written or as they were before they went. In each environment the resource for it counts,
 * else the one of the same name for all.
 */
export async function publishResources(
  publishing: Publishing,
  part: SnapshotPart,
  rows: readonly Resource[],
): Promise<void> {
  const compiled: CompiledLines = new Map()
  for (const environment of await listConcerned(publishing, rows)) {
    const concerned = rows.filter((row) => row.environment === '' || row.environment === environment)
    for (const some of keyChunks(concerned)) await publishSome(publishing, part, some, environment, compiled)
  }
}

async function listConcerned({ write }: Publishing, rows: readonly Resource[]): Promise<Iterable<string>> {
  const isForAll = rows.some(({ environment }) => environment === '')
  return isForAll ? listEnvironmentNames(write.db) : new Set(rows.map(({ environment }) => environment))
}

async function publishSome(
  publishing: Publishing,
  part: SnapshotPart,
  rows: readonly Resource[],
  environment: string,
  compiled: CompiledLines,
): Promise<void> {
  const { workspace, write } = publishing
  const [first] = rows
  if (first === undefined) return
  const names = rows.map(({ name }) => name)
  const known = await findEffective(write.db, shelfOf(first), names, environment)
  const effective = [...known.values()]
  const fresh = effective.filter(({ id }) => !compiled.has(id))
  for (const [id, lines] of await compileResources(publishing, part, fresh)) compiled.set(id, lines)
  const gone = names.filter((name) => !known.has(name))
  const publish = part.isGuarded ? publishUnapproved : publishLines
  await publish(write, environment, {
    removed: gone.map((name) => `${part.list}/${toSnapshotName(workspace.name, name)}`),
    lines: effective.flatMap(({ id }) => compiled.get(id) ?? []),
  })
}

/** Each for itself: names and ids that stand twice are a matter of an environment, not of what is written together. */
export async function compileResources(
  { control, workspace, write: { db } }: Publishing,
  part: SnapshotPart,
  rows: readonly Resource[],
): Promise<CompiledLines> {
  const documents = part.toDocuments === undefined ? rows.map(documentOf) : await part.toDocuments(db, rows)
  const compiled: CompiledLines = new Map()
  for (const [at, { id }] of rows.entries()) {
    const content = await compileDocument(db, control, workspace, { [part.list]: documents.slice(at, at + 1) })
    compiled.set(id, toLines(content))
  }
  return compiled
}
