/**
 * The compiled configuration that a gateway runs: complete, checked, plain data. `config/` makes it from files (and
 * control from its store), a gateway turns it into closures. Everything optional in a file has its value here.
 */
import type { JsonObject } from './json.ts'

export interface Snapshot extends SnapshotContent {
  /** Content hash (SHA-256, hex) over everything in it. */
  readonly version: string
}

/** A snapshot, or a part of one, that nobody has hashed. */
export interface SnapshotContent {
  readonly upstreams: readonly UpstreamSpec[]
  readonly apis: readonly ApiSpec[]
  readonly routes: readonly RouteSpec[]
  /** Apply to every route, outermost. */
  readonly policies: readonly PolicySpec[]
  readonly consumers: readonly ConsumerSpec[]
  readonly products: readonly ProductSpec[]
  readonly listener: ListenerSpec
}

/** An entry of a policy list, validated, with the defaults of its schema filled in. */
export interface PolicySpec {
  /** Stable name of the entry: explicit, or where it stands, e.g. `apis/books/policies/0`. Counters are keyed by it. */
  readonly id: string
  readonly kind: string
  /** CEL; the policy applies to an exchange when it is true. */
  readonly when: string | undefined
  readonly config: JsonObject
}

export interface ApiSpec {
  /** Whose it is, where several workspaces share a gateway: what belongs to one is unknown in all others. */
  readonly workspace?: string
  readonly name: string
  readonly version: string
  readonly policies: readonly PolicySpec[]
  /** What references in the operations of its routes lead to, by name: once for all of them. */
  readonly schemas?: JsonObject
  /** Present while the revision stands beside another one. */
  readonly release?: ReleaseSpec
}

/** One of the revisions of an api that run side by side: a canary and what it is compared with, blue and green. */
export interface ReleaseSpec {
  /** Id of the deployment; requests are counted under it. */
  readonly deployment: string
  /** Its routes name this deployment in `beside`; those of the other revision name none. */
  readonly isBeside: boolean
  readonly split: SplitSpec
}

/** Shares of callers are counted in ten-thousandths. */
export const SPLIT_PARTS = 10_000

/** Which callers get a revision: those whose hash modulo `SPLIT_PARTS` is at least `from` and below `to`. */
export interface SplitSpec {
  /** Revisions that share the same callers have the same group. */
  readonly group: string
  /** Hashed with what tells callers apart, so that nobody can choose a side; secret. */
  readonly key: string
  readonly by: SplitBy
  readonly from: number
  readonly to: number
  /** Requests with this token, kept as SHA-256 in hex, get the revision of this deployment, whatever the shares are. */
  readonly preview?: { readonly deployment: string; readonly hash: string }
}

/** The field in which a request carries the token of a preview; it goes no further. */
export const PREVIEW_FIELD = 'x-headgate-preview'

/** What tells callers apart; the address when it is not there. Names of fields are in lower case. */
export type SplitBy =
  | { readonly kind: 'ip' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'credential'; readonly fields: readonly string[]; readonly query: readonly string[] }

export interface RouteSpec extends RouteFacts {
  readonly match: RouteMatch
  readonly upstream: string | undefined
  /** Keep the api's base path when forwarding. */
  readonly stripBasePath: boolean
  readonly preserveHost: boolean
  readonly policies: readonly PolicySpec[]
  readonly timeouts: TimeoutSpec | undefined
  /** The deployment that it belongs to when its revision stands beside another; both may have a route of the same id. */
  readonly beside?: string
}

/** What policies, logs and expressions may know of a route. */
export interface RouteFacts {
  /** Unique: `api/version/route`. */
  readonly id: string
  readonly name: string
  readonly api: string
  readonly apiVersion: string
  readonly parameterNames: readonly string[]
  /**
   * The operation of the api's OpenAPI document; undefined for a route by hand. References that are left lead to its
   * `components`, which in a snapshot are the `schemas` of the api.
   */
  readonly operation: JsonObject | undefined
}

/** An operation as policies get it: with the schemas that its api has for all. */
export function withSchemas(
  operation: JsonObject | undefined,
  schemas: JsonObject | undefined,
): JsonObject | undefined {
  return operation === undefined || schemas === undefined ? operation : { ...operation, components: { schemas } }
}

export interface RouteMatch {
  /** Exact names in lower case, or `*.example.com`; empty: any host. */
  readonly hosts: readonly string[]
  /** Public path: base path + route path; segments may be or hold `{name}`; a trailing `/*` makes it a prefix. */
  readonly path: string
  /** The api's base path, the part of `path` that is taken away before forwarding. */
  readonly basePath: string
  /** Upper case; empty: any method. */
  readonly methods: readonly string[]
  readonly headers: readonly FieldMatch[]
  readonly query: readonly FieldMatch[]
  /** CEL. */
  readonly when: string | undefined
  readonly encodedSlash: 'refuse' | 'keep'
}

export interface FieldMatch {
  readonly name: string
  /** Undefined: it is enough that the field is there. */
  readonly value: string | undefined
  /** The request must not have the field. */
  readonly absent?: true
  /** A request without the field fits as well: the version that is meant where none is named. */
  readonly orAbsent?: true
  /** The value is the version that media types of this vendor name in `Accept`; empty: their parameter `version` does. */
  readonly vendor?: string
}

export interface ConsumerSpec {
  readonly workspace?: string
  /** Unique in its workspace. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly keys: readonly { readonly name: string; readonly hash: string; readonly expiresAtMs: number | undefined }[]
  readonly policies: readonly PolicySpec[]
  readonly subscriptions: readonly { readonly product: string; readonly plan: string }[]
}

export interface ProductSpec {
  readonly workspace?: string
  /** Unique in its workspace. */
  readonly name: string
  readonly apis: readonly string[]
  /** Whether its apis are for subscribers alone. */
  readonly access: 'subscription' | 'open'
  readonly plans: readonly { readonly name: string; readonly policies: readonly PolicySpec[] }[]
}

export interface TimeoutSpec {
  readonly connectMs: number
  readonly firstByteMs: number
  readonly idleMs: number
  readonly totalMs: number
}

export interface UpstreamSpec {
  readonly name: string
  readonly protocol: 'http1' | 'http2'
  readonly targets: readonly TargetSpec[]
  readonly loadBalancing: {
    readonly algorithm: 'round-robin' | 'least-requests' | 'peak-ewma' | 'consistent-hash'
    /** CEL string for consistent-hash; undefined: the client's address. */
    readonly hashBy: string | undefined
  }
  readonly healthCheck: HealthCheckSpec | undefined
  readonly outlierDetection: OutlierSpec | undefined
  readonly circuitBreaker: CircuitBreakerSpec | undefined
  readonly retries: RetrySpec
  readonly timeouts: TimeoutSpec
  readonly connections: {
    readonly maxPerTarget: number
    /** Exchanges that may wait for a connection of a target; more are refused at once. */
    readonly maxWaiting: number
    /** Idle connections are closed after this time, which must be less than the target's own. */
    readonly idleMs: number
  }
  readonly tls: UpstreamTlsSpec | undefined
  /** Credentials for the upstream: fields that are set on every request; values are secret. */
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  /** Seconds between two resolutions of the targets' names. */
  readonly resolveSeconds: number
}

export interface TargetSpec {
  /** `http://host:port/path`, `https://…`; with `srv` the host is a SRV name and its records give host and port. */
  readonly url: string
  readonly srv: boolean
  readonly weight: number
  /** 0 is used first; a higher group takes over when no target of the lower ones is fit. */
  readonly priority: number
}

export interface HealthCheckSpec {
  readonly path: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly healthyAfter: number
  readonly unhealthyAfter: number
  readonly statuses: readonly number[]
}

export interface OutlierSpec {
  /** Consecutive failures (5xx, resets, timeouts) that eject a target. */
  readonly consecutiveFailures: number
  readonly baseEjectionMs: number
  readonly maxEjectionMs: number
  /** Share of the targets that may be ejected at once; at least one target always stays. */
  readonly maxEjectedPercent: number
}

export interface CircuitBreakerSpec {
  readonly failurePercent: number
  readonly minimumRequests: number
  readonly windowMs: number
  readonly openMs: number
}

export interface RetrySpec {
  readonly attempts: number
  readonly budgetPercent: number
  readonly budgetMinPerSecond: number
  readonly statuses: readonly number[]
  readonly backoffMs: number
}

export interface UpstreamTlsSpec {
  /** PEM texts. */
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly serverName: string | undefined
  readonly verify: boolean
}

/** The kind of fields in which trusted proxies tell of their clients. */
export type ForwardedField = 'x-forwarded-for' | 'forwarded'

export interface ListenerSpec {
  readonly tls:
    | {
        readonly certificates: readonly {
          readonly names: readonly string[]
          readonly cert: string
          readonly key: string
        }[]
        readonly clientCa: string | undefined
        readonly clientCertificate: 'none' | 'request' | 'require'
        readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
      }
    | undefined
  readonly limits: ListenerLimits
  /** Networks (CIDR) whose PROXY header and forwarded fields are believed. */
  readonly trustedProxies: readonly string[]
  readonly forwardedField: ForwardedField
  readonly proxyProtocol: boolean
  /** What a client that half-closes is taken for: gone, or still reading. */
  readonly halfClose: 'abort' | 'answer'
  /** HMAC key for `x-headgate-debug`; undefined: no signed debugging. */
  readonly debugKey: string | undefined
  readonly accessLog: { readonly enabled: boolean }
  readonly serverTiming: boolean
  readonly drainDelayMs: number
  readonly drainTimeoutMs: number
}

export interface ListenerLimits {
  readonly maxHeadBytes: number
  readonly maxFields: number
  readonly maxTargetBytes: number
  readonly maxBodyBytes: number
  readonly headMs: number
  readonly idleMs: number
  readonly requestMs: number
  readonly minBodyBytesPerSecond: number
  readonly maxConnections: number
  readonly maxInFlight: number
  readonly maxHeldBodyBytes: number
  readonly maxRequestsPerConnection: number
}
