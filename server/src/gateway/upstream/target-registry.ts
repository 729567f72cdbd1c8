/**
 * The live targets of one thread. A reload asks for the targets of the next snapshot and gets the objects that are
 * there already, so load, breakers, ejections and connections survive it; what no snapshot names any more is let go,
 * its connections closing as their last exchanges end.
 */
import type { UpstreamSpec } from '../../kernel/snapshot.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import type { UpstreamClient } from './client.ts'
import { type Endpoint, toTargetsKey, toUnresolvedEndpoints, type UpstreamEndpoints } from './endpoint.ts'
import { type HealthVerdicts, NO_VERDICTS } from './health-board.ts'
import { Target } from './target.ts'
import { TargetSet } from './target-set.ts'

/** Makes the connections of a target; called again when the settings that they are made with change. */
export type CreateClient = (spec: UpstreamSpec, target: Target) => UpstreamClient

interface LiveUpstream {
  spec: UpstreamSpec
  targetsKey: string
  clientKey: string
  readonly set: TargetSet
  readonly targets: Map<string, Target>
}

export class TargetRegistry {
  private readonly upstreams = new Map<string, LiveUpstream>()
  /** The last word of name resolution on each upstream, kept for snapshots that are still to come. */
  private readonly resolved = new Map<string, UpstreamEndpoints>()
  private readonly createClient: CreateClient
  private readonly verdicts: HealthVerdicts

  constructor(createClient: CreateClient, verdicts: HealthVerdicts = NO_VERDICTS) {
    this.createClient = createClient
    this.verdicts = verdicts
  }

  /** Takes the upstreams of the next snapshot on and lets those go that it does not have. */
  adopt(specs: readonly UpstreamSpec[]): void {
    const names = new Set(specs.map((spec) => spec.name))
    for (const [name, upstream] of this.upstreams) {
      if (names.has(name)) continue
      this.place(upstream, [])
      this.upstreams.delete(name)
      this.resolved.delete(name)
    }
    for (const spec of specs) this.adoptOne(spec)
  }

  /** The targets of an adopted upstream: the same set for as long as the upstream is there. */
  targetsOf(name: string): TargetSet {
    const upstream = this.upstreams.get(name)
    if (upstream === undefined) throw new Error(`no upstream ${name} was adopted`)
    return upstream.set
  }

  /** Takes what name resolution and health checks found. May be ahead of the snapshot that it belongs to. */
  update(found: UpstreamEndpoints): void {
    this.resolved.set(found.upstream, found)
    const upstream = this.upstreams.get(found.upstream)
    if (upstream !== undefined && upstream.targetsKey === found.targetsKey) this.place(upstream, found.endpoints)
  }

  /** Lets all targets go. */
  close(): void {
    this.adopt([])
  }

  private adoptOne(spec: UpstreamSpec): void {
    if (this.upstreams.get(spec.name)?.spec === spec) return
    const targetsKey = toTargetsKey(spec.targets)
    const clientKey = toClientKey(spec)
    let upstream = this.upstreams.get(spec.name)
    if (upstream === undefined) {
      upstream = { spec, targetsKey, clientKey, set: new TargetSet(), targets: new Map() }
      this.upstreams.set(spec.name, upstream)
    }
    const reconnect = upstream.clientKey !== clientKey
    const moved = upstream.targetsKey !== targetsKey || upstream.targets.size === 0
    upstream.spec = spec
    upstream.targetsKey = targetsKey
    upstream.clientKey = clientKey
    for (const target of upstream.targets.values()) {
      setBreaker(target, spec)
      if (reconnect) this.connect(upstream, target)
    }
    if (!moved) return
    const found = this.resolved.get(spec.name)
    this.place(upstream, found?.targetsKey === targetsKey ? found.endpoints : toUnresolvedEndpoints(spec.targets))
  }

  /** Makes the upstream's targets those of the endpoints, keeping the objects of the ones that stay. */
  private place(upstream: LiveUpstream, endpoints: readonly Endpoint[]): void {
    const gone = new Map(upstream.targets)
    upstream.targets.clear()
    for (const endpoint of endpoints) {
      let target = gone.get(endpoint.id)
      if (target === undefined) {
        target = new Target(endpoint, this.verdicts)
        setBreaker(target, upstream.spec)
        this.connect(upstream, target)
      }
      target.endpoint = endpoint
      gone.delete(endpoint.id)
      upstream.targets.set(endpoint.id, target)
    }
    upstream.set.replace([...upstream.targets.values()])
    for (const target of gone.values()) target.client?.close()
  }

  private connect(upstream: LiveUpstream, target: Target): void {
    target.client?.close()
    target.tlsSession = undefined
    target.client = this.createClient(upstream.spec, target)
  }
}

/** A breaker keeps its state until its own settings change. */
function setBreaker(target: Target, spec: UpstreamSpec): void {
  const wanted = spec.circuitBreaker
  if (wanted === undefined) target.breaker = undefined
  else if (target.breaker === undefined || !isSame(target.breaker.spec, wanted)) {
    target.breaker = new CircuitBreaker(wanted)
  }
}

/** The settings that open connections depend on. */
function toClientKey(spec: UpstreamSpec): string {
  return JSON.stringify([spec.protocol, spec.tls, spec.connections, spec.timeouts.connectMs])
}

function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
