/** What a token leaves of the rights of its account. */
import type { Grant } from '../actor.ts'
import type { Permission } from '../permissions.ts'

/** Only its scopes and, when `workspaceId` is not empty, only there. */
export function narrow(grants: readonly Grant[], scopes: ReadonlySet<Permission>, workspaceId: string): Grant[] {
  return grants
    .filter((grant) => workspaceId === '' || grant.workspaceId === '' || grant.workspaceId === workspaceId)
    .map((grant) => ({
      workspaceId: workspaceId === '' ? grant.workspaceId : workspaceId,
      permissions: grant.permissions.intersection(scopes),
    }))
}
