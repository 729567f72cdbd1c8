/** The one list of admin operations. */
import { apiRoutes } from './apis/apis.ts'
import { consumerRoutes } from './consumers/consumers.ts'
import { createCredential, listCredentials, revokeCredential } from './credentials/credential-routes.ts'
import type { AdminRoute } from './define-route.ts'
import { createDeployment, listDeployments, rollbackDeployment } from './deployments/deployment-routes.ts'
import { listGateways, reportGateway, revokeGateway } from './gateways/gateway-routes.ts'
import { createJoinToken, joinGateway } from './gateways/join-routes.ts'
import { compareBuckets, getSnapshot } from './gateways/snapshot-routes.ts'
import { productRoutes } from './products/products.ts'
import { createRevision, getRevisionRoute, listRevisions } from './revisions/revision-routes.ts'
import { upstreamRoutes } from './upstreams/upstreams.ts'
import {
  createVersion,
  getVersionRoute,
  listVersions,
  removeVersion,
  replaceVersion,
} from './versions/version-routes.ts'

export const routes: readonly AdminRoute[] = [
  ...apiRoutes,
  listVersions,
  createVersion,
  getVersionRoute,
  replaceVersion,
  removeVersion,
  createRevision,
  listRevisions,
  getRevisionRoute,
  createDeployment,
  listDeployments,
  rollbackDeployment,
  ...upstreamRoutes,
  ...consumerRoutes,
  listCredentials,
  createCredential,
  revokeCredential,
  ...productRoutes,
  listGateways,
  revokeGateway,
  createJoinToken,
  joinGateway,
  getSnapshot,
  compareBuckets,
  reportGateway,
]
