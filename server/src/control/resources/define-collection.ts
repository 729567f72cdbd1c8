/**
 * A noun of a workspace whose things are documents: declared once, it has the operations that every noun has
 * (`collection-routes.ts`). What a noun does besides (publish, deploy, revoke) are operations of its own, a file each.
 */
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { JsonObject } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import type { Control } from '../control.ts'
import type { WorkspaceRef, Write } from '../define-route.ts'
import type { Resource } from './resource-store.ts'

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
  /** What keeps a thing from going, in words; undefined: it may. An apply leaves it, everybody else is refused. */
  heldBy?(db: Kysely<Tables>, workspace: WorkspaceRef, row: Resource): Promise<string | undefined>
  /** Before a thing goes, in the same transaction: takes along what is over with it; may refuse. */
  removing?(db: Kysely<Tables>, row: Resource): Promise<void>
  /** Brings other things along, in the transaction of the change; may refuse. */
  changed?(change: Change): Promise<void>
}

export interface SnapshotPart {
  /** Name of its list in a document and in a snapshot. */
  readonly list: 'upstreams' | 'consumers' | 'products'
  /** Whether only those who may approve change it where an environment asks for approval. */
  readonly isGuarded: boolean
  /** Documents of these, in their order, with what of them lies in other tables; absent: nothing does. */
  toDocuments?(db: Kysely<Tables>, rows: readonly Resource[]): Promise<JsonObject[]>
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
