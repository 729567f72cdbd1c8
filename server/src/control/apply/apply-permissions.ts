/** What applying a document needs besides the right to write APIs: a right for whatever it writes or takes away. */
import type { ConfigDocument } from '../../config/schema/document.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { may } from '../actor.ts'
import { refuse } from '../control-error.ts'
import type { Call } from '../define-route.ts'
import type { Permission } from '../permissions.ts'
import { forbidden } from '../problems.ts'
import type { ApplyContext } from './apply-context.ts'

/** By every key that a document can have, so that the compiler asks for the rights of a new one. */
const PARTS: Readonly<Record<Exclude<keyof ConfigDocument, 'headgate'>, readonly Permission[]>> = {
  gateway: ['environments.write'],
  policies: ['workspace.write'],
  policyLists: ['policies.write'],
  upstreams: ['upstreams.write'],
  apis: ['apis.write', 'revisions.write', 'deployments.write'],
  products: ['products.write'],
  consumers: ['consumers.write', 'credentials.write', 'subscriptions.write'],
  certificates: ['certificates.write'],
  webhooks: ['webhooks.write'],
}

/** Refuses with 403 when the document holds something that the actor may not write. */
export function permitParts({ actor, workspace }: Pick<Call, 'actor' | 'workspace'>, document: JsonObject): void {
  for (const [key, permissions] of Object.entries(PARTS)) {
    if (document[key] === undefined) continue
    const workspaceId = key === 'gateway' ? '' : workspace.id
    const missing = permissions.find((permission) => !may(actor, permission, workspaceId))
    if (missing !== undefined) refuse(forbidden({ detail: `\`${key}\` needs the permission ${missing}.` }))
  }
}

/** What an export holds of a workspace, and the right to read it; hashes of keys need another one anyway. */
const READ: readonly (readonly [key: keyof ConfigDocument, permission: Permission])[] = [
  ['policies', 'workspace.read'],
  ['policyLists', 'policies.read'],
  ['upstreams', 'upstreams.read'],
  ['products', 'products.read'],
  ['consumers', 'consumers.read'],
  ['certificates', 'certificates.read'],
  ['webhooks', 'webhooks.read'],
]

/** Refuses with 403 when an export holds what the actor may not read: without it, it would say that this is to go. */
export function permitExport({ actor, workspace }: Pick<Call, 'actor' | 'workspace'>, document: JsonObject): void {
  const missing = READ.find(([key, permission]) => document[key] !== undefined && !may(actor, permission, workspace.id))
  if (missing !== undefined) refuse(forbidden({ detail: `\`${missing[0]}\` needs the permission ${missing[1]}.` }))
}

/**
 * Refuses with 403 to take away what the document no longer names. `what` names the kind alone: the caller may not know
 * the thing itself.
 */
export function permitRemoval({ call, source }: ApplyContext, permission: Permission, what: string): void {
  if (may(call.actor, permission, call.workspace.id)) return
  const detail = `The document leaves out ${what} that ${source} applied before; to remove it needs the permission ${permission}.`
  refuse(forbidden({ detail }))
}
