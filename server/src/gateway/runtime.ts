/** A snapshot compiled to closures: what a worker thread serves from. Replaced as a whole by a reload. */
import type { Exchange } from '../kernel/exchange.ts'
import type { PolicyInstance } from '../kernel/policy.ts'
import type { ListenerSpec, RouteFacts, RouteMatch, TimeoutSpec } from '../kernel/snapshot.ts'
import type { TrustedProxies } from './client-address.ts'
import type { DeploymentTally } from './deployment-tally.ts'
import type { Router } from './router.ts'
import type { TlsAcceptor } from './tls.ts'
import type { Upstream } from './upstream/upstream.ts'

/** One entry of a policy list, ready to run. */
export interface Entry {
  readonly id: string
  readonly kind: string
  readonly when: ((exchange: Exchange) => boolean) | undefined
  readonly instance: PolicyInstance
}

/** A part of the effective list that was compiled once: of a route, or of a consumer within an api. */
export interface Segment {
  readonly entries: readonly Entry[]
}

/**
 * One of thousands of routes is in no cache when its request comes: so it is one object with what every request needs in
 * front, and what many routes have in common they share.
 */
export interface CompiledRoute extends RouteFacts {
  readonly methods: readonly string[]
  readonly fits: ((exchange: Exchange) => boolean) | undefined
  readonly segment: Segment
  readonly upstream: Upstream | undefined
  readonly timeouts: TimeoutSpec | undefined
  /** Length of the part of the public path that is not forwarded. */
  readonly strippedLength: number
  readonly preserveHost: boolean
  /** Index of the route's series in the metrics. */
  readonly series: number
  /** What `toRouteText` made of it. */
  readonly logText: string
  /** Where its requests are counted once more while its revision stands beside another. */
  readonly tally: DeploymentTally | undefined
  readonly match: RouteMatch
  /** The policies that answer a CORS preflight, before all others; undefined when the route has none. */
  readonly preflight: Segment | undefined
}

export interface Runtime {
  readonly version: string
  readonly listener: ListenerSpec
  readonly tls: TlsAcceptor | undefined
  readonly trusted: TrustedProxies
  /** Some route takes `%2F` as data. */
  readonly keepsEncodedSlash: boolean
  /** Those that stand beside another one. */
  readonly deployments: ReadonlySet<string>
  readonly router: Router<Exchange, CompiledRoute>
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** Policies of the consumer and of its plans for an api, or the refusal of who needs a subscription; undefined for none. */
  principalSegment(consumer: string | undefined, api: string): Segment | undefined
}
