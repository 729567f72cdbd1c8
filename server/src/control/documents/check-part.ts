/** Checks what is kept or is to be kept, as the gateways would compile it; the same in this process and in one of its own. */
import { checkPart, compilePartInSteps, type RouteCount } from '../../config/compile-part.ts'
import { ConfigError, type ConfigIssue } from '../../config/issues.ts'
import type { Steps } from '../../config/steps.ts'
import type { JsonObject } from '../../kernel/json.ts'
import type { PolicyDefinition } from '../../kernel/policy.ts'
import type { ApiSpec, PolicySpec, SnapshotContent } from '../../kernel/snapshot.ts'

export interface CheckOrder {
  /** Of the shape of a headgate.yaml. */
  readonly document: JsonObject
  /** The OpenAPI documents that it names. */
  readonly texts: ReadonlyMap<string, string>
  /** Name of the route whose policies are wanted; undefined: whether all is right, and no more. */
  readonly route: string | undefined
}

export type CheckOutcome =
  | { readonly kind: 'right'; readonly counts: readonly RouteCount[]; readonly shown: RoutePolicies | undefined }
  | { readonly kind: 'wrong'; readonly issues: readonly ConfigIssue[] }

/** What runs for a route: the parts of a snapshot that say it. */
export interface RoutePolicies {
  readonly workspace: readonly PolicySpec[]
  readonly api: Pick<ApiSpec, 'name' | 'version' | 'policies'>
  readonly route: readonly PolicySpec[]
}

export function* checkOrder(
  { document, texts, route }: CheckOrder,
  policies: readonly PolicyDefinition[],
): Steps<CheckOutcome> {
  const whole = { headgate: 1, ...document }
  try {
    if (route === undefined)
      return { kind: 'right', counts: yield* checkPart(whole, texts, policies), shown: undefined }
    return { kind: 'right', counts: [], shown: show(yield* compilePartInSteps(whole, texts, policies), route) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { kind: 'wrong', issues: error.issues }
  }
}

function show(compiled: SnapshotContent, route: string): RoutePolicies | undefined {
  const [api] = compiled.apis
  const own = compiled.routes.find(({ name }) => name === route)
  if (api === undefined || own === undefined) return undefined
  const { name, version, policies } = api
  return { workspace: compiled.policies, api: { name, version, policies }, route: own.policies }
}
