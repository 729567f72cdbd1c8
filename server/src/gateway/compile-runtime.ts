/**
 * Compiles deliveries of a snapshot to runtimes, in slices: the thread that compiles is serving, so it lets the event loop
 * run every few milliseconds. Only what changed is compiled, and what refers to it is bound anew; all else stands. What
 * throws here refuses the delivery, and all is as before.
 */
import { ConsumerIndex } from '../kernel/consumers.ts'
import { compileExpression } from '../kernel/expression.ts'
import type { Exchange } from '../kernel/exchange.ts'
import type { ListenerSpec, PolicySpec, UpstreamSpec } from '../kernel/snapshot.ts'
import type { SnapshotDelivery } from '../kernel/snapshot-delivery.ts'
import { TrustedProxies } from './client-address.ts'
import { apiKeyOf, bindRoute, compileRoute, type RouteSurroundings } from './compile-route.ts'
import { PolicyEntries, type PolicyEntriesOptions } from './policy-entries.ts'
import { LiveConsumers, Principals } from './principals.ts'
import { RevisionSides } from './revision-sides.ts'
import { Router } from './router.ts'
import type { CompiledRoute, Runtime } from './runtime.ts'
import { SnapshotParts, type RoutePart } from './snapshot-parts.ts'
import { TlsAcceptor } from './tls.ts'
import { createBalancer } from './upstream/balancer.ts'
import { createTargetFeedback } from './upstream/feedback.ts'
import { RetryBudget } from './upstream/retry-budget.ts'
import type { TargetRegistry } from './upstream/target-registry.ts'
import type { Upstream } from './upstream/upstream.ts'

export interface CompileParts
  extends Omit<PolicyEntriesOptions, 'consumersOf'>, Pick<RouteSurroundings, 'seriesOf' | 'tallyOf'> {
  readonly targets: TargetRegistry
  /** Keys for session tickets, the same in every thread. */
  readonly ticketKeys: Buffer
  /** Lets the event loop run when this slice has had its time. */
  pause(): Promise<void>
}

type CompiledRoutes = Router<Exchange, CompiledRoute>

/** A runtime, and what the next one is made from. */
interface Compilation {
  readonly runtime: Runtime
  readonly principals: Principals
  /** The list that every route begins with. */
  readonly general: readonly PolicySpec[]
}

export class RuntimeCompiler {
  private readonly options: CompileParts
  private readonly parts = new SnapshotParts()
  private readonly entries: PolicyEntries
  private readonly live = new Map<string, LiveConsumers>()
  private readonly sides = new RevisionSides()
  /** Ids of routes of revisions that stand beside others. */
  private beside: ReadonlySet<string> = new Set()
  private running: Compilation | undefined
  private prepared: Compilation | undefined

  constructor(options: CompileParts) {
    this.options = options
    this.entries = new PolicyEntries({
      findPolicy: (kind) => options.findPolicy(kind),
      services: options.services,
      consumersOf: (workspace) => this.consumersOf(workspace),
    })
  }

  /** Rejects with the reason when something does not compile; what runs is not touched. */
  async prepare(delivery: SnapshotDelivery): Promise<void> {
    try {
      await this.parts.take(delivery, () => this.options.pause())
      this.prepared = await this.compile(delivery.version)
    } catch (cause) {
      this.discard()
      throw cause
    }
  }

  /** Makes what was prepared the runtime, in one step; undefined when nothing was. */
  commit(): Runtime | undefined {
    const { prepared } = this
    if (prepared === undefined) return undefined
    this.prepared = undefined
    this.running = prepared
    this.parts.settle()
    this.beside = this.idsBeside()
    this.sides.retain(this.parts.apis.values())
    for (const [workspace, consumers] of this.live) {
      consumers.index = prepared.principals.indexOf(workspace) ?? new ConsumerIndex()
    }
    this.options.targets.adopt(specsOf(prepared))
    return prepared.runtime
  }

  /** Forgets what was prepared. */
  discard(): void {
    this.prepared = undefined
    this.parts.rollBack()
    this.options.targets.adopt(specsOf(this.running))
  }

  /** Whether the running snapshot has the route. */
  hasRoute(id: string): boolean {
    return this.parts.routes.has(id) || this.beside.has(id)
  }

  private async compile(version: string): Promise<Compilation> {
    const { parts, options } = this
    const { listener, policies: general } = parts.header
    const upstreams = this.compileUpstreams()
    const pause = (): Promise<void> => options.pause()
    const principals = await Principals.compile(parts, this.entries, this.running?.principals, pause)
    const router = await this.compileRoutes(upstreams, general)
    const known = this.running?.runtime.listener === listener ? this.running.runtime : undefined
    const runtime: Runtime = {
      version,
      listener,
      tls: known === undefined ? this.toTls(listener) : known.tls,
      trusted: known?.trusted ?? new TrustedProxies(listener.trustedProxies, listener.forwardedField),
      keepsEncodedSlash: this.keepsEncodedSlash(),
      deployments: this.deployments(),
      router,
      upstreams,
      // Who is unknown to this runtime was let in by the one that runs now, and has the policies that it says.
      principalSegment: (consumer, api) => {
        const running = this.running?.principals ?? principals
        const isKnown = consumer === undefined || running === principals || principals.knows(consumer, api)
        return (isKnown ? principals : running).segmentOf(consumer, api)
      },
    }
    return { runtime, principals, general }
  }

  private consumersOf(workspace = ''): LiveConsumers {
    const known = this.live.get(workspace)
    if (known !== undefined) return known
    const consumers = new LiveConsumers()
    this.live.set(workspace, consumers)
    return consumers
  }

  /** Those that stay keep what they learnt; the ones that go are still needed until the swap. */
  private compileUpstreams(): ReadonlyMap<string, Upstream> {
    const { targets } = this.options
    const { upstreams: table } = this.parts
    const known = this.running?.runtime.upstreams
    if (known !== undefined && table.before.size === 0) return known
    const leaving = specsOf(this.running).filter(({ name }) => !table.has(name))
    targets.adopt([...leaving, ...table.values()])
    return new Map(
      [...table.entries()].map(([name, spec]) => {
        const upstream = known?.get(name)
        return [name, upstream?.spec === spec ? upstream : toUpstream(spec, targets)]
      }),
    )
  }

  private async compileRoutes(
    upstreams: ReadonlyMap<string, Upstream>,
    general: readonly PolicySpec[],
  ): Promise<CompiledRoutes> {
    const { options, entries, sides } = this
    const { apis, routes, newRoutes } = this.parts
    const surroundings: RouteSurroundings = {
      apis,
      upstreams,
      general,
      entries,
      sides,
      seriesOf: (route) => options.seriesOf(route),
      tallyOf: (deployment) => options.tallyOf(deployment),
    }
    const router: CompiledRoutes = this.running?.runtime.router.copy() ?? new Router()
    const replace = (name: string, before: RoutePart | undefined, after: RoutePart): void => {
      if (before?.isServed === true) router.remove(before.compiled)
      if (after.isServed) router.add(after.compiled)
      routes.set(name, after)
    }
    for (const gone of routes.before.values()) {
      if (gone?.isServed === true) router.remove(gone.compiled)
      await options.pause()
    }
    for (const [name, spec] of newRoutes) {
      replace(name, routes.get(name), compileRoute(spec, surroundings))
      await options.pause()
    }
    for (const [name, part] of this.routesToBind(general)) {
      replace(name, part, bindRoute(part, surroundings))
      await options.pause()
    }
    await router.compact(() => options.pause())
    return router
  }

  /** Routes that are as they were, of an api or with an upstream that is not. */
  private routesToBind(general: readonly PolicySpec[]): (readonly [string, RoutePart])[] {
    const { routes, newRoutes, apis, upstreams } = this.parts
    const isGeneral = this.running !== undefined && this.running.general !== general
    if (!isGeneral && apis.before.size === 0 && upstreams.before.size === 0) return []
    return [...routes.entries()].filter(
      ([name, { compiled, upstream, beside }]) =>
        !newRoutes.has(name) &&
        (isGeneral ||
          apis.before.has(apiKeyOf(compiled, beside)) ||
          (upstream !== undefined && upstreams.before.has(upstream))),
    )
  }

  /** A route of a revision that stands beside another has another key than its id. */
  private idsBeside(): ReadonlySet<string> {
    const parts = this.running?.runtime.deployments.size === 0 ? [] : [...this.parts.routes.values()]
    return new Set(parts.flatMap(({ beside, compiled }) => (beside === undefined ? [] : [compiled.id])))
  }

  private deployments(): ReadonlySet<string> {
    const { apis } = this.parts
    if (this.running !== undefined && apis.before.size === 0) return this.running.runtime.deployments
    return new Set([...apis.values()].flatMap(({ release }) => (release === undefined ? [] : [release.deployment])))
  }

  private keepsEncodedSlash(): boolean {
    for (const { compiled } of this.parts.routes.values()) if (compiled.match.encodedSlash === 'keep') return true
    return false
  }

  private toTls({ tls, limits }: ListenerSpec): TlsAcceptor | undefined {
    return tls === undefined ? undefined : new TlsAcceptor(tls, this.options.ticketKeys, limits.headMs)
  }
}

function specsOf(compilation: Compilation | undefined): UpstreamSpec[] {
  return [...(compilation?.runtime.upstreams.values() ?? [])].map(({ spec }) => spec)
}

function toUpstream(spec: UpstreamSpec, registry: TargetRegistry): Upstream {
  const targets = registry.targetsOf(spec.name)
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
