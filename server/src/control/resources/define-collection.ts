/**
 * A noun of a workspace whose things are documents: declared once, it has the operations that every noun has
 * (`collection-routes.ts`). What a noun does besides (publish, deploy, revoke) are operations of its own, a file each.
 */
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { JsonObject } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import type { Control } from '../control.ts'
import type { Call, WorkspaceRef, Write } from '../define-route.ts'
import type { SnapshotContent } from '../../kernel/snapshot.ts'
import { writeSecrets } from '../secrets/secret-values.ts'
import { publishResource } from '../snapshots/publish-resource.ts'
import { toResourceNote } from './resource-view.ts'
import { insertResource, removeResource, replaceResource, type Resource } from './resource-store.ts'
import { extractSecrets } from './secret-references.ts'

/** A resource that is written, and where. */
export interface Change {
  readonly control: Control
  readonly workspace: WorkspaceRef
  readonly write: Write
  readonly before: Resource | undefined
  /** Undefined: it is removed. */
  readonly after: Resource | undefined
}

export interface CollectionDefinition {
  /** Such as `upstream`. */
  readonly kind: string
  /** As the path has it, such as `upstreams`. */
  readonly plural: string
  /** With its article, such as `an upstream`. */
  readonly title: string
  readonly permissions:
    | 'apis'
    | 'upstreams'
    | 'consumers'
    | 'products'
    | 'certificates'
    | 'webhooks'
    | 'policies'
    | 'teams'
  /** The document; `name` is one of its keys. */
  readonly schema: z.ZodType
  /** Whether a thing may be for one environment alone. */
  readonly perEnvironment: boolean
  /** Checks beyond the schema, before the transaction; refuses. Gets the document with references for secrets. */
  check?(control: Control, db: Kysely<Tables>, workspace: WorkspaceRef, document: JsonObject): Promise<void>
  /** The part of a snapshot that each thing is; things without it are no business of the gateways. */
  readonly part?: SnapshotPart
  /** What can be told of a thing beyond its document. */
  describe?(document: JsonObject, control: Control): JsonObject
  /** Before a thing goes, in the same transaction: takes along what is over with it; may refuse. */
  removing?(db: Kysely<Tables>, row: Resource): Promise<void>
  /** Brings other things along, in the transaction of the change; may refuse. */
  changed?(change: Change): Promise<void>
}

export interface SnapshotPart {
  /** Name of its list in a snapshot. */
  readonly list: 'upstreams' | 'consumers' | 'products'
  compile(db: Kysely<Tables>, control: Control, workspace: WorkspaceRef, row: Resource): Promise<SnapshotContent>
}

export interface PutParts {
  readonly call: Pick<Call, 'control' | 'actor' | 'workspace' | 'expectedVersion'>
  readonly write: Write
  readonly environment: string
  /** Checked by the schema of the kind, as it was given: without the defaults. */
  readonly document: JsonObject
  /** The thing that it replaces; undefined: it is new. */
  readonly row: Resource | undefined
  /** Who manages it as code; undefined leaves that as it is. */
  readonly source?: string
}

/** Creates or replaces a thing inside a transaction, for its operations and for `apply`, which writes many. */
export async function putResource(collection: CollectionDefinition, parts: PutParts): Promise<Resource> {
  const { call, write, row } = parts
  const { control, workspace, actor } = call
  const owner = toSecretOwner(collection, nameOf(parts.document), parts.environment)
  const { document, secrets } = extractSecrets(parts.document, collection.schema, control.policies, owner)
  await writeSecrets(write.db, control, workspace, secrets, actor.id)
  const nowMs = control.clock.now()
  const changes = {
    name: nameOf(document),
    spec: JSON.stringify(document),
    search: toSearchText(document),
    source: parts.source ?? row?.source ?? '',
    updated_by: actor.id,
    updated_at_ms: nowMs,
  }
  let after: Resource
  if (row === undefined) {
    after = {
      id: control.newId(collection.kind),
      workspace_id: workspace.id,
      kind: collection.kind,
      parent_id: '',
      environment: parts.environment,
      version: 1,
      created_at_ms: nowMs,
      ...changes,
    }
    await insertResource(write.db, after)
  } else {
    after = await replaceResource(write.db, row, changes, call.expectedVersion)
  }
  write.note(toResourceNote(row, after))
  await follow(collection, { control, workspace, write, before: row, after })
  return after
}

/** Removes a thing inside a transaction. */
export async function dropResource(
  collection: CollectionDefinition,
  { call, write, row }: Pick<PutParts, 'call' | 'write'> & { readonly row: Resource },
): Promise<void> {
  const { control, workspace } = call
  await collection.removing?.(write.db, row)
  await removeResource(write.db, row, call.expectedVersion)
  write.note(toResourceNote(row, undefined))
  await follow(collection, { control, workspace, write, before: row, after: undefined })
}

async function follow(collection: CollectionDefinition, change: Change): Promise<void> {
  await collection.changed?.(change)
  if (collection.part !== undefined) await publishResource(change, collection.part)
}

/** Under what name the secrets of a thing are kept. One for an environment has its own: two may stand side by side. */
export function toSecretOwner({ plural }: CollectionDefinition, name: string, environment: string): string {
  return environment === '' ? `${plural}.${name}` : `environments.${environment}.${plural}.${name}`
}

export function nameOf(document: JsonObject): string {
  const { name } = document
  if (typeof name !== 'string') throw new TypeError('a document that was checked has a name')
  return name
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
