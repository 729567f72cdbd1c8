/**
 * Writes and removes the things of a noun, with all that follows from it, inside a transaction: one for an operation,
 * many for `apply`. What a thing becomes is planned for itself; rows are written and lines published together.
 */
import type { JsonObject } from '../../kernel/json.ts'
import { refuse } from '../control-error.ts'
import type { Call, Write } from '../define-route.ts'
import { inUse } from '../problems.ts'
import { writeSecrets } from '../secrets/secret-values.ts'
import { publishResources } from '../snapshots/publish-resources.ts'
import { nameOf, toSecretOwner, type CollectionDefinition } from './define-collection.ts'
import { checkVersion, insertResources, removeResources, replaceResource, type Resource } from './resource-store.ts'
import { toResourceNote } from './resource-view.ts'
import { extractSecrets, type FoundSecret } from './secret-references.ts'

interface Putting {
  readonly call: Pick<Call, 'control' | 'actor' | 'workspace' | 'expectedVersion'>
  readonly write: Write
}

interface PutParts extends Putting {
  readonly environment: string
  /** Checked by the schema of the kind, as it was given: without the defaults. */
  readonly document: JsonObject
  /** The thing that it replaces; undefined: it is new. */
  readonly row: Resource | undefined
  /** Who manages it as code; undefined leaves that as it is. */
  readonly source?: string
}

/** What a thing becomes: noted already, and not yet written. */
export interface PlannedResource {
  readonly before: Resource | undefined
  readonly after: Resource
  readonly secrets: readonly FoundSecret[]
}

/** Creates or replaces a thing. */
export async function putResource(collection: CollectionDefinition, parts: PutParts): Promise<Resource> {
  const planned = planResource(collection, parts)
  await writePlanned(collection, parts, [planned])
  await publishWritten(collection, parts, [planned.after])
  return planned.after
}

export function planResource(collection: CollectionDefinition, parts: PutParts): PlannedResource {
  const { call, write, row } = parts
  const { control, workspace, actor } = call
  const owner = toSecretOwner(collection, nameOf(parts.document), parts.environment)
  const { document, secrets } = extractSecrets(parts.document, collection.schema, control.policies, owner)
  const nowMs = control.clock.now()
  const after: Resource = {
    id: row?.id ?? control.newId(collection.kind),
    workspace_id: workspace.id,
    kind: collection.kind,
    parent_id: '',
    environment: row?.environment ?? parts.environment,
    version: (row?.version ?? 0) + 1,
    created_at_ms: row?.created_at_ms ?? nowMs,
    name: nameOf(document),
    spec: JSON.stringify(document),
    search: toSearchText(document),
    source: parts.source ?? row?.source ?? '',
    updated_by: actor.id,
    updated_at_ms: nowMs,
  }
  write.note(toResourceNote(row, after))
  return { before: row, after, secrets }
}

/** Writes things of one environment as they were planned, and whatever they bring along besides their own lines. */
export async function writePlanned(
  collection: CollectionDefinition,
  { call, write }: Putting,
  planned: readonly PlannedResource[],
): Promise<void> {
  const { control, workspace, actor } = call
  for (const { secrets } of planned) await writeSecrets(write.db, control, workspace, secrets, actor.id)
  const added = planned.filter(({ before }) => before === undefined)
  await insertResources(
    write.db,
    added.map(({ after }) => after),
  )
  for (const { before, after } of planned) {
    if (before !== undefined) await replaceResource(write.db, before, after, call.expectedVersion)
  }
  for (const { before, after } of planned) await collection.changed?.({ control, workspace, write, before, after })
}

/** Removes things, each of the version that is expected. */
export async function dropResources(
  collection: CollectionDefinition,
  { call, write }: Putting,
  rows: readonly Resource[],
): Promise<void> {
  const { control, workspace } = call
  for (const row of rows) {
    const held = await collection.heldBy?.(write.db, workspace, row)
    if (held !== undefined) refuse(inUse({ detail: held }))
    await collection.removing?.(write.db, row)
    checkVersion(row, call.expectedVersion)
  }
  await removeResources(write.db, rows)
  for (const row of rows) {
    write.note(toResourceNote(row, undefined))
    await collection.changed?.({ control, workspace, write, before: row, after: undefined })
  }
  await publishWritten(collection, { call, write }, rows)
}

/** Brings what was written or removed into the snapshots, where it is a part of them. */
export async function publishWritten(
  { part }: CollectionDefinition,
  { call: { control, workspace }, write }: Putting,
  rows: readonly Resource[],
): Promise<void> {
  if (part !== undefined) await publishResources({ control, workspace, write }, part, rows)
}

/** Names, titles and labels, to be searched without regard to case. */
function toSearchText({ name, title, description, labels, owner, team }: JsonObject): string {
  const words = typeof labels === 'object' && labels !== null ? Object.entries(labels).flat() : []
  return [name, title, description, owner, team, ...words]
    .filter((word) => typeof word === 'string')
    .join(' ')
    .toLowerCase()
    .slice(0, 2000)
}
