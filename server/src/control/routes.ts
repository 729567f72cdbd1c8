/** The one list of admin operations. */
import { getAccess, replaceAccess } from './access/access-routes.ts'
import { createCredential, listCredentials, revokeCredential } from './credentials/credential-routes.ts'
import { apply, exportConfiguration } from './apply/apply-routes.ts'
import { getAuditHead, listAudit, listWorkspaceAudit, verifyAuditRoute } from './audit/audit-routes.ts'
import { listVersionCallers } from './callers/caller-routes.ts'
import { getCatalogue, getPublicCatalogue } from './catalogue/catalogue-routes.ts'
import { collections } from './collections.ts'
import type { AdminRoute } from './define-route.ts'
import { approveDeployment, rejectDeployment } from './deployments/approval-routes.ts'
import { createDeployment, getDeploymentRoute, listDeployments } from './deployments/deployment-routes.ts'
import {
  abortDeployment,
  previewDeployment,
  promoteDeployment,
  rollbackDeployment,
  switchDeployment,
} from './deployments/release-routes.ts'
import {
  createEnvironment,
  listEnvironments,
  patchEnvironment,
  replaceEnvironment,
} from './environments/environment-routes.ts'
import { getGatewaySettings, replaceGatewaySettings } from './environments/gateway-settings-routes.ts'
import { getPlaces, replacePlaces } from './environments/place-routes.ts'
import { removeEnvironment } from './environments/remove-environment.ts'
import { listGateways, reportGateway, revokeGateway } from './gateways/gateway-routes.ts'
import { createJoinTokenRoute, joinGateway } from './gateways/join-routes.ts'
import { compareBuckets, getSnapshot } from './gateways/snapshot-routes.ts'
import { importOpenApi } from './imports/import-routes.ts'
import { getLifecycle, moveVersionRoute } from './lifecycle/lifecycle-routes.ts'
import { listLiveRoutes } from './live-routes/live-routes.ts'
import { installationMemberRoutes, workspaceMemberRoutes } from './members/member-routes.ts'
import { acceptInvitation, createInvitation } from './invitations/invitation-routes.ts'
import { endCurrentSession, getCurrentSession, listSessions, revokeSession } from './sessions/session-routes.ts'
import { createSession } from './sessions/sign-in.ts'
import { beginTotp, confirmTotp, removeOwnTotp, resetTotp } from './totp/totp-routes.ts'
import { changePassword } from './users/password-routes.ts'
import { installationRoleRoutes, workspaceRoleRoutes } from './roles/role-routes.ts'
import { teamRoutes } from './teams/team-routes.ts'
import { providerRoutes } from './identity-providers/provider-routes.ts'
import { signInRoutes } from './identity-providers/sign-in-routes.ts'
import { listKeys, rotateKeys } from './keys/key-routes.ts'
import { createToken, listTokens, revokeToken } from './tokens/token-routes.ts'
import { createUser, disableUser, listUsers } from './users/user-routes.ts'
import { getEffectivePolicies } from './policies/effective-policies.ts'
import { collectionRoutes } from './resources/collection-routes.ts'
import { createSecret, getSecret, listSecrets, removeSecret, setSecret } from './secrets/secret-routes.ts'
import { createRevision, getRevisionRoute, listRevisions } from './revisions/revision-routes.ts'
import {
  createSubscription,
  getSubscriptionRoute,
  listSubscriptions,
  subscriptionActions,
} from './subscriptions/subscription-routes.ts'
import { listDeliveries, redeliver } from './webhooks/delivery-routes.ts'
import {
  createVersion,
  getVersionRoute,
  listVersions,
  patchVersion,
  removeVersion,
  replaceVersion,
} from './versions/version-routes.ts'
import {
  createWorkspace,
  getWorkspace,
  listWorkspaces,
  patchWorkspace,
  removeWorkspace,
  replaceWorkspace,
} from './workspaces/workspace-routes.ts'

export const routes: readonly AdminRoute[] = [
  listWorkspaces,
  createWorkspace,
  getWorkspace,
  replaceWorkspace,
  patchWorkspace,
  removeWorkspace,
  listEnvironments,
  createEnvironment,
  replaceEnvironment,
  patchEnvironment,
  removeEnvironment,
  getGatewaySettings,
  replaceGatewaySettings,
  getPlaces,
  replacePlaces,
  ...installationMemberRoutes,
  ...workspaceMemberRoutes,
  ...installationRoleRoutes,
  ...workspaceRoleRoutes,
  ...teamRoutes,
  listUsers,
  createUser,
  disableUser,
  createInvitation,
  acceptInvitation,
  changePassword,
  beginTotp,
  confirmTotp,
  removeOwnTotp,
  resetTotp,
  createSession,
  getCurrentSession,
  endCurrentSession,
  listSessions,
  revokeSession,
  listKeys,
  rotateKeys,
  ...signInRoutes,
  ...providerRoutes,
  getAccess,
  replaceAccess,
  createToken,
  listTokens,
  revokeToken,
  listAudit,
  listWorkspaceAudit,
  verifyAuditRoute,
  getAuditHead,
  apply,
  exportConfiguration,
  importOpenApi,
  ...collections.flatMap(collectionRoutes),
  listVersions,
  createVersion,
  getVersionRoute,
  replaceVersion,
  patchVersion,
  removeVersion,
  getEffectivePolicies,
  listLiveRoutes,
  getCatalogue,
  getPublicCatalogue,
  moveVersionRoute,
  listVersionCallers,
  getLifecycle,
  createRevision,
  listRevisions,
  getRevisionRoute,
  createDeployment,
  listDeployments,
  getDeploymentRoute,
  promoteDeployment,
  abortDeployment,
  switchDeployment,
  previewDeployment,
  rollbackDeployment,
  approveDeployment,
  rejectDeployment,
  listCredentials,
  createCredential,
  revokeCredential,
  listSubscriptions,
  createSubscription,
  getSubscriptionRoute,
  ...subscriptionActions,
  listSecrets,
  createSecret,
  getSecret,
  setSecret,
  removeSecret,
  listDeliveries,
  redeliver,
  listGateways,
  revokeGateway,
  createJoinTokenRoute,
  joinGateway,
  getSnapshot,
  compareBuckets,
  reportGateway,
]
