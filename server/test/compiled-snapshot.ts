/** Compiles snapshots in tests without sockets, and says what a runtime would do in words that can be compared. */
import { z } from 'zod'
import type { SnapshotContent } from '../src/kernel/snapshot.ts'
import { RuntimeCompiler, type CompileParts } from '../src/gateway/compile-runtime.ts'
import { DeploymentTally } from '../src/gateway/deployment-tally.ts'
import type { Entry, Runtime, Segment } from '../src/gateway/runtime.ts'
import { createUpstreamClient } from '../src/gateway/upstream/create-client.ts'
import { TargetRegistry } from '../src/gateway/upstream/target-registry.ts'
import { Ticker } from '../src/gateway/ticker.ts'
import { definePolicy, type PolicyInstance } from '../src/kernel/policy.ts'
import type { Consumers } from '../src/kernel/consumers.ts'
import { deliverWhole, type SnapshotLines } from '../src/kernel/snapshot-delivery.ts'
import { compileFiles } from './test-config.ts'
import { testExchange } from './test-exchange.ts'
import { testServices } from './test-services.ts'

export interface TestCompiler {
  readonly compiler: RuntimeCompiler
  /** What each policy was set up with, in order. */
  readonly setUp: readonly string[]
  /** In words: which route, upstream and policies a request meets, and who the key belongs to. */
  describe(runtime: Runtime, probe: Probe): string
}

export interface Probe {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly key: string
}

export const emptySnapshot: SnapshotContent = compileFiles({ 'a.yaml': 'headgate: 1' }).snapshot

/** A compiler that knows one kind of policy, `probe`, whose configuration shows; `{ broken: true }` does not compile. */
export function testCompiler(changes: Partial<Pick<CompileParts, 'seriesOf' | 'pause'>> = {}): TestCompiler {
  const setUp: string[] = []
  const seen = new WeakMap<PolicyInstance, { readonly config: string; readonly consumers: Consumers }>()
  const probe = definePolicy({
    kind: 'probe',
    title: 'Probe',
    summary: 'Shows what it was set up with.',
    stability: 'preview',
    config: z.looseObject({}),
    examples: [],
    problems: [],
    setup(config, { policyId, consumers }) {
      if (config['broken'] === true) throw new Error(`${policyId} is broken`)
      setUp.push(policyId)
      const instance = { request: () => undefined }
      seen.set(instance, { config: JSON.stringify(config), consumers })
      return instance
    },
  })
  const ticker = new Ticker()
  const compiler = new RuntimeCompiler({
    findPolicy: () => probe,
    services: testServices(),
    targets: new TargetRegistry((spec, target) => createUpstreamClient(spec, target, ticker)),
    ticketKeys: Buffer.alloc(48),
    seriesOf: () => 1,
    tallyOf: () => new DeploymentTally(),
    pause: () => Promise.resolve(),
    ...changes,
  })
  const describeEntry = (entry: Entry, key: string): string => {
    const { config, consumers } = seen.get(entry.instance) ?? {}
    return `${entry.id} ${config} ${consumers?.byKey(key)?.consumer ?? 'nobody'}`
  }
  const describeAll = (segment: Segment | undefined, key: string): string[] =>
    (segment?.entries ?? []).map((entry) => describeEntry(entry, key))
  return {
    compiler,
    setUp,
    describe(runtime, { method, host, path, key }) {
      const found = runtime.router.find(testExchange({ method, host, path }), method, host, path)
      if (found === undefined || found instanceof Set) return `none, allowed ${[...(found ?? [])].sort().join(' ')}`
      const { route, parameters } = found
      const caller = route.segment.entries.map(({ instance }) => seen.get(instance)?.consumers.byKey(key)?.consumer)[0]
      const own = caller === undefined ? undefined : runtime.principalSegment(caller, route.api)
      const { upstream } = route
      return JSON.stringify([
        route.id,
        route.operation,
        parameters,
        upstream?.spec,
        upstream?.targets.targets.map(({ endpoint }) => endpoint.id),
        describeAll(route.segment, key),
        describeAll(own, key),
      ])
    },
  }
}

export async function compileWhole(test: TestCompiler, lines: SnapshotLines): Promise<Runtime> {
  await test.compiler.prepare(await deliverWhole(lines))
  const runtime = test.compiler.commit()
  if (runtime === undefined) throw new Error('nothing was prepared')
  return runtime
}
