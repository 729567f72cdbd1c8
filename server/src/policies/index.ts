/** The one list of policies: a new one is a folder of its own and a line here. */
import type { PolicyDefinition } from '../kernel/policy.ts'
import { access } from './access/access.ts'
import { anyOf } from './any-of/any-of.ts'
import { cors } from './cors/cors.ts'
import { deprecation } from './deprecation/deprecation.ts'
import { fault } from './fault/fault.ts'
import { headers } from './headers/headers.ts'
import { ipFilter } from './ip-filter/ip-filter.ts'
import { jwt } from './jwt/jwt.ts'
import { keyAuth } from './key-auth/key-auth.ts'
import { mock } from './mock/mock.ts'
import { quota } from './quota/quota.ts'
import { rateLimit } from './rate-limit/rate-limit.ts'
import { requestSize } from './request-size/request-size.ts'
import { respond } from './respond/respond.ts'
import { rewrite } from './rewrite/rewrite.ts'
import { validateRequest } from './validate-request/validate-request.ts'

export const policies: readonly PolicyDefinition[] = [
  // Who calls, and may they.
  cors,
  ipFilter,
  keyAuth,
  jwt,
  anyOf,
  access,
  rateLimit,
  quota,
  // What is sent on.
  requestSize,
  validateRequest,
  headers,
  rewrite,
  deprecation,
  mock,
  respond,
  fault,
]

const byKind = new Map(policies.map((policy) => [policy.kind, policy]))

/** The policy of a kind, undefined for one that is not known. */
export function findPolicy(kind: string): PolicyDefinition | undefined {
  return byKind.get(kind)
}
