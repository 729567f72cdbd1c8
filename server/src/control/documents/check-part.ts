/** Checks what is kept or is to be kept, as the gateways would compile it; the same in this process and in one of its own. */
import { checkPart, compilePart, type RouteCount } from '../../config/compile-part.ts'
import { ConfigError, type ConfigIssue } from '../../config/issues.ts'
import { isJsonObject } from '../../kernel/json.ts'
import type { PolicyDefinition } from '../../kernel/policy.ts'
import type { ApiSpec, PolicySpec, SnapshotContent } from '../../kernel/snapshot.ts'

export interface CheckOrder {
  /** Of the shape of a headgate.yaml, as JSON. */
  readonly document: string
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

export function checkOrder(
  { document, texts, route }: CheckOrder,
  policies: readonly PolicyDefinition[],
): CheckOutcome {
  const value: unknown = JSON.parse(document)
  if (!isJsonObject(value)) throw new TypeError('what is to be checked is an object')
  const whole = { headgate: 1, ...value }
  try {
    if (route === undefined) return { kind: 'right', counts: checkPart(whole, texts, policies), shown: undefined }
    return { kind: 'right', counts: [], shown: show(compilePart(whole, texts, policies), route) }
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
