/**
 * What one thread keeps of the snapshot that it runs: its parts by name, and the hashes of their lines. A delivery
 * changes it, is checked against the hash of the whole, and stays or is taken back.
 */
import type { SnapshotHeader } from '../config/snapshot-lines.ts'
import { HEADER_KEY } from '../config/snapshot-lines.ts'
import type { ApiSpec, ConsumerSpec, PolicySpec, ProductSpec, RouteSpec, UpstreamSpec } from '../kernel/snapshot.ts'
import { linesOf, type Pause, type SnapshotDelivery } from '../kernel/snapshot-delivery.ts'
import { hashLine, SnapshotHashes } from '../kernel/snapshot-hashes.ts'
import { PartTable } from './part-table.ts'
import type { CompiledRoute } from './runtime.ts'

/** A route that is compiled, with what it takes to bind it to an api or upstream that changed. */
export interface RoutePart {
  readonly compiled: CompiledRoute
  /** Those of its match alone, without the callers that its revision gets. */
  readonly conditions: CompiledRoute['fits']
  readonly upstream: string | undefined
  readonly policies: readonly PolicySpec[]
  /** The deployment that its revision belongs to when it stands beside another. */
  readonly beside: string | undefined
  /** A revision that stands ready and serves nobody is compiled all the same, so that a switch cannot fail. */
  readonly isServed: boolean
}

export class SnapshotParts {
  readonly upstreams = new PartTable<UpstreamSpec>()
  readonly apis = new PartTable<ApiSpec>()
  readonly routes = new PartTable<RoutePart>()
  readonly products = new PartTable<ProductSpec>()
  readonly consumers = new PartTable<ConsumerSpec>()
  /** Routes of a delivery, not yet compiled. */
  readonly newRoutes = new Map<string, RouteSpec>()
  private readonly headers = new PartTable<SnapshotHeader>()
  private readonly hashes = new SnapshotHashes()
  /** By key the hash before the delivery. */
  private readonly hashesBefore = new Map<string, string | undefined>()

  /** What belongs to the gateway as a whole; throws when there is none. */
  get header(): SnapshotHeader {
    const header = this.headers.get(HEADER_KEY)
    if (header === undefined) throw new Error('the snapshot has no header')
    return header
  }

  /** Takes a delivery in; throws when what there is then is not what was meant. Lines that are here already cost nothing. */
  async take(delivery: SnapshotDelivery, pause: Pause): Promise<void> {
    const missing = new Set(delivery.isWhole ? this.hashes.keys() : [])
    for (const { key, line } of linesOf(delivery)) {
      missing.delete(key)
      const lineHash = line === '' ? undefined : hashLine(line)
      if (this.hashes.get(key) !== lineHash) this.place(key, line, lineHash)
      await pause()
    }
    for (const key of missing) {
      this.place(key, '', undefined)
      await pause()
    }
    await this.hashes.hashChanged(pause)
    if (this.hashes.root() === delivery.version) return
    throw new Error('the lines of the snapshot do not have the hash that it says')
  }

  settle(): void {
    for (const table of this.tables()) table.settle()
    this.hashesBefore.clear()
    this.newRoutes.clear()
  }

  rollBack(): void {
    for (const table of this.tables()) table.rollBack()
    for (const [key, lineHash] of this.hashesBefore) this.hashes.set(key, lineHash)
    this.hashesBefore.clear()
    this.newRoutes.clear()
  }

  /** Lines were checked by whoever published them, as what their keys say, and are what the version stands for. */
  private place(key: string, line: string, lineHash: string | undefined): void {
    if (!this.hashesBefore.has(key)) this.hashesBefore.set(key, this.hashes.get(key))
    this.hashes.set(key, lineHash)
    const part: unknown = line === '' ? undefined : JSON.parse(line)
    const slash = key.indexOf('/')
    const name = key.slice(slash + 1)
    switch (key.slice(0, slash === -1 ? key.length : slash)) {
      case HEADER_KEY:
        return this.placeHeader(part as SnapshotHeader | undefined)
      case 'upstreams':
        return this.upstreams.set(name, part as UpstreamSpec | undefined)
      case 'apis':
        return this.apis.set(name, part as ApiSpec | undefined)
      case 'routes':
        if (part === undefined) this.routes.set(name, undefined)
        else this.newRoutes.set(name, part as RouteSpec)
        return
      case 'products':
        return this.products.set(name, part as ProductSpec | undefined)
      case 'consumers':
        return this.consumers.set(name, part as ConsumerSpec | undefined)
      default:
        throw new Error(`a snapshot has no line ${JSON.stringify(key)}`)
    }
  }

  /** Policies that say the same stay the same objects: what was compiled of them stands. */
  private placeHeader(header: SnapshotHeader | undefined): void {
    const known = this.headers.get(HEADER_KEY)?.policies
    const isSame = JSON.stringify(known) === JSON.stringify(header?.policies)
    const kept = header !== undefined && known !== undefined && isSame ? { ...header, policies: known } : header
    this.headers.set(HEADER_KEY, kept)
  }

  private tables(): readonly Pick<PartTable<unknown>, 'settle' | 'rollBack'>[] {
    return [this.headers, this.upstreams, this.apis, this.routes, this.products, this.consumers]
  }
}
