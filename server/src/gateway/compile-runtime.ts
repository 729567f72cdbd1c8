/**
 * Compiles a snapshot to a runtime, in slices: the thread that compiles is serving, so it lets the event loop run
 * every few milliseconds. What throws here refuses the snapshot; the old runtime then stays.
 */
import { compileExpression } from '../kernel/expression.ts'
import type { Exchange } from '../kernel/exchange.ts'
import { ConsumerIndex } from '../kernel/consumers.ts'
import type { PolicyDefinition } from '../kernel/policy.ts'
import type { PolicyServices } from '../kernel/policy-services.ts'
import type { ApiSpec, PolicySpec, RouteSpec, Snapshot } from '../kernel/snapshot.ts'
import { both, CallerSplit } from './caller-split.ts'
import { TrustedProxies } from './client-address.ts'
import { compileConditions } from './compile-conditions.ts'
import type { DeploymentTally } from './deployment-tally.ts'
import { Router } from './router.ts'
import type { CompiledRoute, Entry, Runtime, Segment } from './runtime.ts'
import { TlsAcceptor } from './tls.ts'
import { createBalancer } from './upstream/balancer.ts'
import { createTargetFeedback } from './upstream/feedback.ts'
import { RetryBudget } from './upstream/retry-budget.ts'
import type { TargetRegistry } from './upstream/target-registry.ts'
import type { Upstream } from './upstream/upstream.ts'

export interface CompileParts {
  findPolicy(kind: string): PolicyDefinition | undefined
  /** Services without what compiling itself gives: the id of the entry and nested policies. */
  readonly services: Omit<PolicyServices, 'policyId' | 'consumers' | 'nested' | 'expression'>
  /** Has adopted the upstreams of the snapshot. */
  readonly targets: TargetRegistry
  /** Keys for session tickets, the same in every thread. */
  readonly ticketKeys: Buffer
  /** Index of a route's series in the metrics. */
  seriesOf(route: RouteSpec): number
  /** Where requests of a deployment that stands beside another are counted. */
  tallyOf(deployment: string): DeploymentTally
  /** Lets the event loop run when this slice has had its time. */
  pause(): Promise<void>
}

/** Rejects with the reason when something does not compile. `parts.targets` has adopted the upstreams before. */
export async function compileRuntime(snapshot: Snapshot, parts: CompileParts): Promise<Runtime> {
  const compiler = new Compiler(snapshot, parts)
  return compiler.compile()
}

type RouteSegments = Pick<CompiledRoute, 'segment' | 'preflight'>

class Compiler {
  private readonly snapshot: Snapshot
  private readonly parts: CompileParts
  /** Of each workspace its own: a key of one opens nothing of another. */
  private readonly consumers = new Map<string, ConsumerIndex>()
  private readonly entries = new Map<PolicySpec, Entry>()
  private readonly apiSegments = new Map<ApiSpec | undefined, RouteSegments>()
  private readonly methods = new Map<string, readonly string[]>()
  private readonly splits = new Map<string, CallerSplit>()
  private readonly sides = new Map<ApiSpec, ReturnType<CallerSplit['conditionOf']>>()

  constructor(snapshot: Snapshot, parts: CompileParts) {
    this.snapshot = snapshot
    this.parts = parts
  }

  async compile(): Promise<Runtime> {
    const { snapshot, parts } = this
    for (const consumer of snapshot.consumers) {
      this.consumersOf(consumer.workspace).add(consumer)
      await parts.pause()
    }
    const upstreams = new Map(snapshot.upstreams.map((spec) => [spec.name, this.toUpstream(spec)]))
    const apis = new Map(snapshot.apis.map((api) => [toApiKey(api.name, api.version, besideOf(api)), api]))
    const router = new Router<Exchange, CompiledRoute>()
    for (const spec of snapshot.routes) {
      const api = apis.get(toApiKey(spec.api, spec.apiVersion, spec.beside))
      const side = this.sideOf(api)
      const route = this.toRoute(spec, api, upstreams, side)
      // A revision that stands ready and serves nobody is compiled all the same, so that a switch cannot fail.
      if (side !== false) router.add(route)
      await parts.pause()
    }
    const principalSegment = await this.compilePrincipals()
    const { tls, limits } = snapshot.listener
    return {
      version: snapshot.version,
      listener: snapshot.listener,
      tls: tls === undefined ? undefined : new TlsAcceptor(tls, parts.ticketKeys, limits.headMs),
      trusted: new TrustedProxies(snapshot.listener.trustedProxies, snapshot.listener.forwardedField),
      keepsEncodedSlash: snapshot.routes.some(({ match }) => match.encodedSlash === 'keep'),
      routeIds: new Set(snapshot.routes.map(({ id }) => id)),
      deployments: new Set(snapshot.apis.flatMap(({ release }) => (release === undefined ? [] : [release.deployment]))),
      router,
      upstreams,
      principalSegment,
    }
  }

  private consumersOf(workspace = ''): ConsumerIndex {
    const known = this.consumers.get(workspace)
    if (known !== undefined) return known
    const index = new ConsumerIndex()
    this.consumers.set(workspace, index)
    return index
  }

  private toUpstream(spec: Snapshot['upstreams'][number]): Upstream {
    const targets = this.parts.targets.targetsOf(spec.name)
    const { hashBy } = spec.loadBalancing
    return {
      spec,
      targets,
      balancer: createBalancer(spec.loadBalancing),
      feedback: createTargetFeedback(spec, targets),
      retryBudget: new RetryBudget(spec.retries),
      hashBy: hashBy === undefined ? undefined : compileExpression(hashBy, 'string'),
    }
  }

  /** Which callers get the revision: undefined for all, `false` for none. */
  private sideOf(api: ApiSpec | undefined): ReturnType<CallerSplit['conditionOf']> {
    if (api?.release === undefined) return undefined
    const known = this.sides.get(api)
    if (known !== undefined || this.sides.has(api)) return known
    const { split } = api.release
    const group = this.splits.get(split.group) ?? new CallerSplit(split)
    this.splits.set(split.group, group)
    const side = group.conditionOf(split)
    this.sides.set(api, side)
    return side
  }

  private toRoute(
    spec: RouteSpec,
    api: ApiSpec | undefined,
    upstreams: ReadonlyMap<string, Upstream>,
    side: ReturnType<CallerSplit['conditionOf']>,
  ): CompiledRoute {
    const { segment, preflight } = this.toSegments(api, spec.policies)
    return {
      methods: this.shareMethods(spec.match.methods),
      fits: both(side === false ? undefined : side, compileConditions(spec.match)),
      segment,
      upstream: spec.upstream === undefined ? undefined : upstreams.get(spec.upstream),
      timeouts: spec.timeouts,
      strippedLength: spec.stripBasePath ? toStrippedLength(spec.match.basePath) : 0,
      preserveHost: spec.preserveHost,
      series: this.parts.seriesOf(spec),
      tally: api?.release === undefined ? undefined : this.parts.tallyOf(api.release.deployment),
      id: spec.id,
      api: spec.api,
      match: spec.match,
      preflight,
      name: spec.name,
      apiVersion: spec.apiVersion,
      parameterNames: spec.parameterNames,
      operation: spec.operation,
    }
  }

  /** Routes without policies of their own share those of their api. */
  private toSegments(api: ApiSpec | undefined, own: readonly PolicySpec[]): RouteSegments {
    const known = own.length === 0 ? this.apiSegments.get(api) : undefined
    if (known !== undefined) return known
    const list = [...this.snapshot.policies, ...(api?.policies ?? []), ...own]
    const entries = list.map((policy) => this.toEntry(policy, api?.workspace))
    const preflight = entries.filter((entry) => this.parts.findPolicy(entry.kind)?.answersPreflight === true)
    const segments = {
      segment: { entries },
      preflight: preflight.length === 0 ? undefined : { entries: preflight },
    }
    if (own.length === 0) this.apiSegments.set(api, segments)
    return segments
  }

  private shareMethods(methods: readonly string[]): readonly string[] {
    const key = methods.join(' ')
    const known = this.methods.get(key) ?? methods
    this.methods.set(key, known)
    return known
  }

  /** An entry is set up once, however many routes share it. */
  private toEntry(spec: PolicySpec, workspace: string | undefined): Entry {
    const known = this.entries.get(spec)
    if (known !== undefined) return known
    const entry: Entry = {
      id: spec.id,
      kind: spec.kind,
      when: spec.when === undefined ? undefined : compileExpression(spec.when, 'bool'),
      instance: this.setup(spec.kind, spec.config, spec.id, workspace),
    }
    this.entries.set(spec, entry)
    return entry
  }

  private setup(kind: string, config: unknown, policyId: string, workspace: string | undefined): Entry['instance'] {
    const definition = this.parts.findPolicy(kind)
    if (definition === undefined) throw new Error(`There is no policy of the kind "${kind}".`)
    return definition.setup(config, {
      ...this.parts.services,
      policyId,
      consumers: this.consumersOf(workspace),
      expression: compileExpression,
      // The entry itself is checked and complete; what it nests has yet to get the defaults of its own schema.
      nested: (nestedKind, nestedConfig) =>
        this.setup(
          nestedKind,
          this.parts.findPolicy(nestedKind)?.config.parse(nestedConfig),
          `${policyId}/${nestedKind}`,
          workspace,
        ),
    })
  }

  /** Policies of plans and consumers: compiled once here, joined for a consumer and an api when first asked for. */
  private async compilePrincipals(): Promise<Runtime['principalSegment']> {
    const products = new Map(this.snapshot.products.map((product) => [inWorkspace(product), product]))
    const lists = new Map<string, (api: string) => Entry[]>()
    for (const consumer of this.snapshot.consumers) {
      await this.parts.pause()
      const { workspace, policies, subscriptions } = consumer
      const own = policies.map((policy) => this.toEntry(policy, workspace))
      if (own.length === 0 && subscriptions.length === 0) continue
      lists.set(inWorkspace(consumer), (api) => {
        const plans = subscriptions.flatMap(({ product, plan }) => {
          const bundle = products.get(inWorkspace({ workspace, name: product }))
          return bundle?.apis.includes(api) === true
            ? (bundle.plans.find(({ name }) => name === plan)?.policies ?? [])
            : []
        })
        return [...plans.map((policy) => this.toEntry(policy, workspace)), ...own]
      })
    }
    for (const { plans, workspace } of this.snapshot.products)
      for (const { policies } of plans) policies.forEach((policy) => this.toEntry(policy, workspace))
    const workspaces = new Map(this.snapshot.apis.map(({ name, workspace }) => [name, workspace]))
    const segments = new Map<string, Segment | undefined>()
    return (name, api) => {
      const list = lists.get(inWorkspace({ workspace: workspaces.get(api), name }))
      if (list === undefined) return undefined
      const key = `${name} ${api}`
      if (!segments.has(key)) {
        const entries = list(api)
        segments.set(key, entries.length === 0 ? undefined : { entries })
      }
      return segments.get(key)
    }
  }
}

/** Revisions that stand side by side have the same api and version. */
function toApiKey(api: string, version: string, beside = ''): string {
  return `${api}/${version} ${beside}`
}

function besideOf({ release }: ApiSpec): string | undefined {
  return release?.isBeside === true ? release.deployment : undefined
}

/** A name that only the workspace's own things have; names hold no blanks. */
function inWorkspace({
  workspace = '',
  name,
}: {
  readonly workspace?: string | undefined
  readonly name: string
}): string {
  return `${workspace} ${name}`
}

function toStrippedLength(basePath: string): number {
  return basePath === '/' ? 0 : basePath.length
}
