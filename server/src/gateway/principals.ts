/**
 * Who may call, and what their plans and their own lists add to a request. Read-only once a runtime has it; the next
 * runtime's is a copy with what changed.
 */
import { ConsumerIndex, type ConsumerCredential, type Consumers } from '../kernel/consumers.ts'
import type { Fields } from '../kernel/fields.ts'
import type { ConsumerSpec, ProductSpec } from '../kernel/snapshot.ts'
import type { PolicyEntries } from './policy-entries.ts'
import type { Segment } from './runtime.ts'
import type { SnapshotParts } from './snapshot-parts.ts'
import { closedApis, refusingSegment } from './subscription-gate.ts'

/** Lists of callers within APIs that are kept joined: of thousands of each, only some meet at a time. */
const MOST_SEGMENTS = 50_000

/**
 * The consumers of a workspace as policies see them: those that run now. A key that was revoked opens nothing, however
 * long ago the runtime was made whose policy asks.
 */
export class LiveConsumers implements Consumers {
  index = new ConsumerIndex()

  byKey(presentedKey: string, from?: Fields): ConsumerCredential | undefined {
    return this.index.byKey(presentedKey, from)
  }

  byName(name: string): ConsumerSpec | undefined {
    return this.index.byName(name)
  }
}

export class Principals {
  private readonly entries: PolicyEntries
  /** By workspace: a key of one opens nothing of another. */
  private readonly indexes: ReadonlyMap<string, ConsumerIndex>
  private readonly products: ReadonlyMap<string, ProductSpec>
  /** By name of the api. */
  private readonly workspaces: ReadonlyMap<string, string | undefined>
  /** Names of the apis that are for subscribers alone. */
  private readonly closed: ReadonlySet<string>
  /** By names of api and consumer. A key put together of both would have to be hashed for each request. */
  private readonly segments = new Map<string, Map<string, Segment | undefined>>()
  private segmentCount = 0

  private constructor(
    entries: PolicyEntries,
    indexes: ReadonlyMap<string, ConsumerIndex>,
    products: ReadonlyMap<string, ProductSpec>,
    workspaces: ReadonlyMap<string, string | undefined>,
  ) {
    this.entries = entries
    this.indexes = indexes
    this.products = products
    this.closed = closedApis(products.values())
    this.workspaces = workspaces
  }

  /** Those of the parts: `known` when nothing changed that counts here. Throws when a policy does not compile. */
  static async compile(
    parts: SnapshotParts,
    entries: PolicyEntries,
    known: Principals | undefined,
    pause: () => Promise<void>,
  ): Promise<Principals> {
    const { consumers, products, apis } = parts
    if (known !== undefined && consumers.before.size + products.before.size + apis.before.size === 0) return known
    // Set up now: what does not compile refuses the snapshot.
    for (const name of products.before.keys()) {
      const product = products.get(name)
      for (const { policies } of product?.plans ?? [])
        policies.forEach((each) => entries.toEntry(each, product?.workspace))
    }
    for (const name of consumers.before.keys()) {
      const consumer = consumers.get(name)
      consumer?.policies.forEach((policy) => entries.toEntry(policy, consumer.workspace))
    }
    const indexes = await changeIndexes(parts, known?.indexes ?? new Map(), pause)
    const bundles = new Map([...products.values()].map((each) => [inWorkspace(each.workspace, each.name), each]))
    const workspaces = new Map([...apis.values()].map(({ name, workspace }) => [name, workspace]))
    return new Principals(entries, indexes, bundles, workspaces)
  }

  indexOf(workspace: string): ConsumerIndex | undefined {
    return this.indexes.get(workspace)
  }

  knows(consumer: string, api: string): boolean {
    return this.indexFor(api)?.byName(consumer) !== undefined
  }

  /**
   * Policies of the consumer's plans for the api, then its own, joined when they are first asked for; or the refusal of
   * who has no subscription where one is needed.
   */
  segmentOf(consumer: string | undefined, api: string): Segment | undefined {
    const index = this.indexFor(api)
    // Among thousands of consumers each look-up goes to memory that is far away: where none has more, there is none.
    if (consumer === undefined || index === undefined || index.hasNoPolicies) return this.withoutPlan(api)
    const known = this.segments.get(api)
    const segment = known?.get(consumer)
    if (segment !== undefined || known?.has(consumer) === true) return segment
    const spec = index.byName(consumer)
    return spec === undefined ? this.withoutPlan(api) : this.keep(spec, api)
  }

  private indexFor(api: string): ConsumerIndex | undefined {
    return this.indexes.get(this.workspaces.get(api) ?? '')
  }

  private withoutPlan(api: string): Segment | undefined {
    return this.closed.has(api) ? refusingSegment : undefined
  }

  private keep(consumer: ConsumerSpec, api: string): Segment | undefined {
    if (this.segmentCount === MOST_SEGMENTS) {
      this.segments.clear()
      this.segmentCount = 0
    }
    this.segmentCount++
    const segment = this.join(consumer, api)
    const ofApi = this.segments.get(api) ?? new Map<string, Segment | undefined>()
    this.segments.set(api, ofApi.set(consumer.name, segment))
    return segment
  }

  private join({ workspace, policies, subscriptions }: ConsumerSpec, api: string): Segment | undefined {
    const plans = subscriptions.flatMap(({ product, plan }) => {
      const bundle = this.products.get(inWorkspace(workspace, product))
      return bundle?.apis.includes(api) === true ? bundle.plans.filter(({ name }) => name === plan) : []
    })
    if (plans.length === 0 && this.closed.has(api)) return refusingSegment
    const list = [...plans.flatMap((plan) => plan.policies), ...policies]
    const entries = list.map((policy) => this.entries.toEntry(policy, workspace))
    return entries.length === 0 ? undefined : { entries }
  }
}

async function changeIndexes(
  { consumers }: SnapshotParts,
  known: ReadonlyMap<string, ConsumerIndex>,
  pause: () => Promise<void>,
): Promise<ReadonlyMap<string, ConsumerIndex>> {
  if (consumers.before.size === 0) return known
  const indexes = new Map(known)
  const own = new Set<ConsumerIndex>()
  const indexOf = (workspace = ''): ConsumerIndex => {
    const shared = indexes.get(workspace)
    if (shared !== undefined && own.has(shared)) return shared
    const index = shared?.copy() ?? new ConsumerIndex()
    own.add(index)
    indexes.set(workspace, index)
    return index
  }
  // All that go before any that come: a key may move from one consumer to another.
  for (const before of consumers.before.values()) {
    if (before !== undefined) indexOf(before.workspace).remove(before)
    await pause()
  }
  for (const name of consumers.before.keys()) {
    const after = consumers.get(name)
    if (after !== undefined) indexOf(after.workspace).add(after)
    await pause()
  }
  return indexes
}

/** A name that only the workspace's own things have; names hold no blanks. */
function inWorkspace(workspace = '', name: string): string {
  return `${workspace} ${name}`
}
