/** Compiles a route, and binds one that is compiled to an api or upstream that is another now. */
import { toApiKey } from '../config/snapshot-lines.ts'
import { withSchemas, type PolicySpec, type RouteSpec } from '../kernel/snapshot.ts'
import { toRouteText } from './access-log-line.ts'
import { both } from './caller-split.ts'
import { compileConditions } from './compile-conditions.ts'
import type { DeploymentTally } from './deployment-tally.ts'
import type { PolicyEntries } from './policy-entries.ts'
import type { RevisionSides } from './revision-sides.ts'
import type { CompiledRoute } from './runtime.ts'
import type { RoutePart, SnapshotParts } from './snapshot-parts.ts'
import type { Upstream } from './upstream/upstream.ts'

/** What a route refers to. */
export interface RouteSurroundings {
  readonly apis: SnapshotParts['apis']
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** The list that every route begins with. */
  readonly general: readonly PolicySpec[]
  readonly entries: PolicyEntries
  readonly sides: RevisionSides
  /** Index of a route's series in the metrics. */
  seriesOf(route: RouteSpec): number
  /** Where requests of a deployment that stands beside another are counted. */
  tallyOf(deployment: string): DeploymentTally
}

type RouteIdentity = Pick<RouteSpec, 'api' | 'apiVersion'>

/** Lists of methods, of which there are few for thousands of routes. */
const methodLists = new Map<string, readonly string[]>()

/** Throws when a policy or condition does not compile. */
export function compileRoute(spec: RouteSpec, surroundings: RouteSurroundings): RoutePart {
  const { match } = spec
  const facts: Omit<CompiledRoute, 'segment' | 'preflight' | 'upstream' | 'tally' | 'fits'> = {
    methods: shareMethods(match.methods),
    timeouts: spec.timeouts,
    strippedLength: spec.stripBasePath ? toStrippedLength(match.basePath) : 0,
    preserveHost: spec.preserveHost,
    series: surroundings.seriesOf(spec),
    logText: toRouteText(spec.id, spec.api),
    id: spec.id,
    api: spec.api,
    match,
    name: spec.name,
    apiVersion: spec.apiVersion,
    parameterNames: spec.parameterNames,
    operation: spec.operation,
  }
  const { policies, upstream, beside } = spec
  return bind(facts, { conditions: compileConditions(match), policies, upstream, beside }, surroundings)
}

export function bindRoute(part: RoutePart, surroundings: RouteSurroundings): RoutePart {
  return bind(part.compiled, part, surroundings)
}

/** The key of the api that a route belongs to. */
export function apiKeyOf({ api, apiVersion }: RouteIdentity, beside: string | undefined): string {
  return toApiKey(api, apiVersion, beside)
}

/** All routes are made here, so that they are objects of one shape. */
function bind(
  facts: Omit<CompiledRoute, 'segment' | 'preflight' | 'upstream' | 'tally' | 'fits'>,
  { conditions, policies, upstream, beside }: Omit<RoutePart, 'compiled' | 'isServed'>,
  surroundings: RouteSurroundings,
): RoutePart {
  const { apis, upstreams, general, entries, sides } = surroundings
  const api = apis.get(apiKeyOf(facts, beside))
  const side = sides.sideOf(api)
  const { segment, preflight } = entries.toSegments(general, api, policies)
  const compiled: CompiledRoute = {
    methods: facts.methods,
    fits: both(side === false ? undefined : side, conditions),
    segment,
    upstream: upstream === undefined ? undefined : upstreams.get(upstream),
    timeouts: facts.timeouts,
    strippedLength: facts.strippedLength,
    preserveHost: facts.preserveHost,
    series: facts.series,
    logText: facts.logText,
    tally: api?.release === undefined ? undefined : surroundings.tallyOf(api.release.deployment),
    id: facts.id,
    api: facts.api,
    match: facts.match,
    preflight,
    name: facts.name,
    apiVersion: facts.apiVersion,
    parameterNames: facts.parameterNames,
    operation: withSchemas(facts.operation, api?.schemas),
  }
  return { compiled, conditions, policies, upstream, beside, isServed: side !== false }
}

function shareMethods(methods: readonly string[]): readonly string[] {
  const key = methods.join(' ')
  const known = methodLists.get(key) ?? methods
  methodLists.set(key, known)
  return known
}

function toStrippedLength(basePath: string): number {
  return basePath === '/' ? 0 : basePath.length
}
