/**
 * The main thread's part in upstreams: resolves the names of targets again and again, checks their health, and tells
 * the worker threads which endpoints there are. Workers never ask DNS and never probe.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../../kernel/log.ts'
import type { UpstreamSpec } from '../../kernel/snapshot.ts'
import { type Endpoint, toTargetsKey, type UpstreamEndpoints } from './endpoint.ts'
import type { HealthBoard } from './health-board.ts'
import { HealthCheck } from './health-check.ts'
import type { NameLookup } from './name-lookup.ts'
import { TargetResolver } from './resolve.ts'
import { toUpstreamTls } from './tls-options.ts'

export interface UpstreamWatchOptions {
  readonly lookup: NameLookup
  readonly board: HealthBoard
  readonly log: Log
  /** Called whenever the endpoints of an upstream change: hand it to `TargetRegistry.update` on every worker. */
  publish(found: UpstreamEndpoints): void
  /** Draws from [0, 1). */
  readonly random: () => number
}

/** A failed resolution is tried again after this long, doubling up to the upstream's own period. */
const FIRST_RETRY_MS = 1_000

const JITTER = 0.1

class WatchedUpstream {
  readonly spec: UpstreamSpec
  /** Settles after the first resolution, successful or not. */
  readonly ready: Promise<void>
  found: UpstreamEndpoints
  private readonly options: UpstreamWatchOptions
  private readonly resolver: TargetResolver
  private readonly healthCheck: HealthCheck | undefined
  private timer: NodeJS.Timeout | undefined
  private failuresInARow = 0
  private closed = false

  /** `old` is the watch over the same upstream before a reload: what it knows is kept. */
  constructor(spec: UpstreamSpec, options: UpstreamWatchOptions, old: WatchedUpstream | undefined) {
    this.spec = spec
    this.options = options
    this.resolver = new TargetResolver(spec.targets, options.lookup, old?.resolver.lastGood)
    this.healthCheck = createHealthCheck(spec, options, old?.close(spec.healthCheck !== undefined) ?? [])
    this.found = { upstream: spec.name, targetsKey: toTargetsKey(spec.targets), endpoints: [] }
    if (!this.resolver.hasUnknownNames) this.take(this.resolver.known())
    this.ready = this.resolver.hasNames ? this.resolve() : Promise.resolve()
  }

  /** Ends the watch. With `handOver` it answers the endpoints whose verdicts are left to the next one. */
  close(handOver: boolean): string[] {
    this.closed = true
    clearTimeout(this.timer)
    if (handOver) return this.healthCheck?.handOver() ?? []
    this.healthCheck?.close()
    return []
  }

  private async resolve(): Promise<void> {
    const { log, random } = this.options
    const { endpoints, failures } = await this.resolver.resolve()
    if (this.closed) return
    for (const { url, cause } of failures) {
      log.error({ upstream: this.spec.name, target: url, err: cause }, 'a target could not be resolved')
    }
    this.take(endpoints)
    this.failuresInARow = failures.length === 0 ? 0 : this.failuresInARow + 1
    const periodMs = this.spec.resolveSeconds * 1_000
    const retryMs = this.failuresInARow === 0 ? periodMs : FIRST_RETRY_MS * 2 ** (this.failuresInARow - 1)
    const waitMs = Math.min(periodMs, retryMs) * (1 + JITTER * (2 * random() - 1))
    this.timer = setTimeout(() => void this.resolve(), waitMs)
    this.timer.unref()
  }

  private take(resolved: readonly Endpoint[]): void {
    const endpoints = this.healthCheck?.watch(resolved) ?? resolved
    if (isDeepStrictEqual(endpoints, this.found.endpoints)) return
    this.found = { ...this.found, endpoints }
    this.options.publish(this.found)
  }
}

function createHealthCheck(
  spec: UpstreamSpec,
  { board, log, random }: UpstreamWatchOptions,
  inherited: readonly string[],
): HealthCheck | undefined {
  const { name: upstream, healthCheck: check, protocol, headers } = spec
  if (check === undefined) return undefined
  const settings = { check, protocol, headers, tls: toUpstreamTls(spec) }
  return new HealthCheck({ upstream, settings, board, log, random, inherited })
}

export class UpstreamWatch {
  private readonly options: UpstreamWatchOptions
  private readonly watched = new Map<string, WatchedUpstream>()

  constructor(options: UpstreamWatchOptions) {
    this.options = options
  }

  /**
   * Watches the upstreams of the next snapshot, and those no more that it does not have. Settles when every new name
   * was looked up once, found or not, at the latest after `waitMs`. Throws when TLS settings cannot be used.
   */
  async adopt(specs: readonly UpstreamSpec[], waitMs = 3_000): Promise<void> {
    const names = new Set(specs.map(({ name }) => name))
    for (const [name, upstream] of this.watched) {
      if (names.has(name)) continue
      upstream.close(false)
      this.watched.delete(name)
    }
    const ready = specs.map((spec) => this.adoptOne(spec).ready)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMs)
    })
    await Promise.race([Promise.all(ready), late])
    clearTimeout(timer)
  }

  /** What every upstream's endpoints are now: for a worker that starts. */
  current(): UpstreamEndpoints[] {
    return [...this.watched.values()].map(({ found }) => found).filter(({ endpoints }) => endpoints.length > 0)
  }

  close(): void {
    for (const upstream of this.watched.values()) upstream.close(false)
    this.watched.clear()
  }

  private adoptOne(spec: UpstreamSpec): WatchedUpstream {
    const old = this.watched.get(spec.name)
    if (old !== undefined && isDeepStrictEqual(toWatchedParts(old.spec), toWatchedParts(spec))) return old
    const upstream = new WatchedUpstream(spec, this.options, old)
    this.watched.set(spec.name, upstream)
    return upstream
  }
}

/** The settings that a watch depends on; it goes on untouched when others change. */
function toWatchedParts(spec: UpstreamSpec): unknown {
  const { targets, resolveSeconds, healthCheck } = spec
  return healthCheck === undefined
    ? { targets, resolveSeconds }
    : { targets, resolveSeconds, healthCheck, protocol: spec.protocol, tls: spec.tls, headers: spec.headers }
}
