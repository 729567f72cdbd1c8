/**
 * An admin operation: one declaration from which come its route, its checks, its permission, its page in the reference
 * and its tests. What all operations share (who calls, parsing, transaction, audit, answers) is in `dispatch.ts`.
 */
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { JsonObject } from '../kernel/json.ts'
import type { ProblemFactory } from '../kernel/problem.ts'
import type { Tables } from '../db/tables.ts'
import type { Actor } from './actor.ts'
import type { Control } from './control.ts'
import type { Permission } from './permissions.ts'
import type { Visit } from './sessions/session-store.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface WorkspaceRef {
  readonly id: string
  readonly name: string
}

/** What an entry of the audit says besides who, when and from where. `before` and `after` hold no secrets. */
export interface AuditNote {
  readonly kind: string
  readonly id: string
  readonly name: string
  readonly before?: JsonObject | undefined
  readonly after?: JsonObject | undefined
}

/** A write transaction of an operation. */
export interface Write {
  readonly db: Kysely<Tables>
  /** Whether whoever makes the change has this right too, where they make it. */
  may(permission: Permission): boolean
  /** Every write notes what it did; one that does not is a fault. */
  note(note: AuditNote): void
  /** The snapshot of the environment changes with this transaction: the gateways hear of it after the commit. */
  touch(environment: string): void
  /** Does the work in this transaction behind all else, once for a key: what many changes together make up. */
  atEnd(key: string, work: () => Promise<void>): void
}

export interface Answer<Output> {
  readonly status?: number
  readonly body?: Output
  /** The number of the thing's version. */
  readonly etag?: number
  readonly headers?: Readonly<Record<string, string>>
  /** `Set-Cookie` fields. */
  readonly cookies?: readonly string[]
}

export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly control: Control
  readonly actor: Actor
  /** The workspace of the path; that of the installation has an empty id. */
  readonly workspace: WorkspaceRef
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** The body as it was sent, before the schema put its defaults in. */
  readonly given: unknown
  /** Reads, outside of any transaction. */
  readonly db: Kysely<Tables>
  readonly requestId: string
  /** Address of the caller. */
  readonly address: string
  /** What their browser says. */
  readonly visit: Visit
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal
  readonly dryRun: boolean
  /** The version that `If-Match` names; undefined when any will do (`*`) or the operation does not ask. */
  readonly expectedVersion: number | undefined
  /**
   * The one transaction of a write. What is slow, such as reading a document, is done before it: inside stand queries
   * alone. A dry run does all of it and rolls back.
   */
  write<Output>(work: (write: Write) => Promise<Answer<Output>>): Promise<Answer<Output>>
}

/** Who may call without any permission: everybody, everybody signed in, a gateway. */
export type Door = 'public' | 'signed-in' | 'gateway'

export interface RouteDefinition<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
> {
  /** `verbNoun`: names the operation in the OpenAPI document, the audit and the client. */
  readonly id: string
  readonly method: Method
  /** Below `/api/v1`, parameters as `{name}`; `{workspace}` makes it an operation of that workspace. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly permission: Permission | { readonly door: Door }
  /** `change` and `remove` work on an existing thing, so they demand `If-Match`; `create` and `action` take an `Idempotency-Key`. */
  readonly effect: 'read' | 'create' | 'change' | 'remove' | 'action'
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /** Bytes of the body that are taken; 1 MiB by default. */
  readonly maxBodyBytes?: number
  readonly output?: Output
  /** The body of the answer is no JSON, but of this media type. */
  readonly mediaType?: string
  readonly problems?: readonly ProblemFactory[]
  handle(call: Call<z.output<Params>, z.output<Query>, z.output<Body>>): Promise<Answer<z.input<Output>>>
}

/** An operation whose shapes have been forgotten, as the list of all has it. */
export interface AdminRoute extends Omit<RouteDefinition, 'handle'> {
  handle(call: Call): Promise<Answer<unknown>>
}

export function defineRoute<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Output extends z.ZodType,
>(definition: RouteDefinition<Params, Query, Body, Output>): AdminRoute {
  return {
    ...definition,
    // Dispatch has parsed all three by the schemas of this very definition.
    handle: (call) => definition.handle(call as Call<z.output<Params>, z.output<Query>, z.output<Body>>),
  }
}
