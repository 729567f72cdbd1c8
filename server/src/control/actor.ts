/** Who uses the admin API, and what they may do where. */
import { PERMISSIONS, type Permission } from './permissions.ts'

/** Rights in one workspace, or (`workspaceId` empty) everywhere. */
export interface Grant {
  readonly workspaceId: string
  readonly permissions: ReadonlySet<Permission>
}

export interface Actor {
  /** `user:<id>` with a session, `token:<id>` of a user, `gateway:<id>`, or `bootstrap`: what the audit names. */
  readonly id: string
  /** What people read: an address or a name. */
  readonly label: string
  readonly kind: 'anonymous' | 'bootstrap' | 'user' | 'gateway'
  readonly userId: string | undefined
  readonly grants: readonly Grant[]
  /** Set for somebody who signed in, in a browser: tokens cannot do what only people may. */
  readonly session?: {
    readonly hash: string
    readonly id: string
    readonly token: string
    readonly expiresAtMs: number
    /** They must set up TOTP before they may do anything else. */
    readonly needsTotp: boolean
  }
  /** Set for whoever uses a token of an account. */
  readonly token?: {
    /** The account is one of a service. */
    readonly isOfService: boolean
    /** The person that stands behind whoever made it (`personBehind`). */
    readonly madeBy: string
  }
}

/**
 * Who answers for what the actor does: the account of a person, whatever token they use; for a service, which answers
 * for nothing, whoever made its token.
 */
export function personBehind({ id, userId, token }: Pick<Actor, 'id' | 'userId' | 'token'>): string {
  return token?.isOfService === true ? token.madeBy : (userId ?? id)
}

/** What holds grants: an actor, or what one may do who is not there any more. */
export type Holder = Pick<Actor, 'grants'>

/** Whether the actor may do it in the workspace; an empty `workspaceId` asks for the installation itself. */
export function may(actor: Holder, permission: Permission, workspaceId: string): boolean {
  return actor.grants.some(
    (grant) => (grant.workspaceId === '' || grant.workspaceId === workspaceId) && grant.permissions.has(permission),
  )
}

/** Whether the actor has any right in the workspace: if not, it does not exist for them. */
export function maySee(actor: Actor, workspaceId: string): boolean {
  return actor.grants.some(
    (grant) => (grant.workspaceId === '' || grant.workspaceId === workspaceId) && grant.permissions.size > 0,
  )
}

/** The bearer of the bootstrap token, which may do everything. */
export const bootstrapActor: Actor = {
  id: 'bootstrap',
  label: 'bootstrap token',
  kind: 'bootstrap',
  userId: undefined,
  grants: [{ workspaceId: '', permissions: new Set(PERMISSIONS) }],
}

/** Nobody in particular, where anybody may call. */
export const anonymous: Actor = {
  id: 'anonymous',
  label: 'anonymous',
  kind: 'anonymous',
  userId: undefined,
  grants: [],
}
