/**
 * From the targets of an upstream to the addresses behind their names, on the main thread. A name that cannot be
 * resolved keeps the addresses that it had: a DNS server that is down must not take down what it once named.
 */
import { isIP } from 'node:net'
import type { TargetSpec } from '../../kernel/snapshot.ts'
import {
  type Endpoint,
  parseTargetUrl,
  PRIORITY_STEP,
  toEndpoint,
  toLookupName,
  toUnresolvedEndpoints,
} from './endpoint.ts'
import type { Address, NameLookup, ServiceRecord } from './name-lookup.ts'

/** A name with more addresses than this is cut, always in the same way. */
const MAX_ADDRESSES = 256

/** More SRV records than this are cut as well, the least preferred first. */
const MAX_RECORDS = 64

/** Weight of a SRV record with weight 0 beside others: "very small" (RFC 2782). */
const TINY_WEIGHT = 0.01

export interface ResolutionFailure {
  readonly url: string
  readonly cause: unknown
}

export interface Resolution {
  readonly endpoints: readonly Endpoint[]
  readonly failures: readonly ResolutionFailure[]
}

/** What lies behind the name of a target: itself, or the hosts of its SRV records. */
export interface FoundHost {
  readonly addresses: readonly Address[]
  readonly port: number
  readonly priority: number
  /** Its part of the target's weight. */
  readonly share: number
}

/** The last good answer for each target, by URL; given on from one snapshot to the next. */
export type FoundHosts = Map<string, readonly FoundHost[]>

export class TargetResolver {
  readonly lastGood: FoundHosts
  private readonly targets: readonly TargetSpec[]
  private readonly lookup: NameLookup

  constructor(targets: readonly TargetSpec[], lookup: NameLookup, lastGood: FoundHosts = new Map()) {
    this.targets = targets
    this.lookup = lookup
    this.lastGood = new Map([...lastGood].filter(([url]) => targets.some((target) => target.url === url)))
  }

  /** Whether there is any name to resolve again. */
  get hasNames(): boolean {
    return this.targets.some((target) => this.isName(target))
  }

  /** Whether there is a name that never was resolved. */
  get hasUnknownNames(): boolean {
    return this.targets.some((target) => this.isName(target) && !this.lastGood.has(target.url))
  }

  /** The endpoints as they are known without asking anybody. */
  known(): Endpoint[] {
    const endpoints = this.targets.flatMap((target) => {
      const hosts = this.lastGood.get(target.url)
      return hosts === undefined ? toUnresolvedEndpoints([target]) : toEndpoints(target, hosts)
    })
    // Two targets may lead to the same address with the same URL; one endpoint is enough.
    return [...new Map(endpoints.map((endpoint) => [endpoint.id, endpoint])).values()]
  }

  /** Looks all names up once. Never rejects. */
  async resolve(): Promise<Resolution> {
    const failures: ResolutionFailure[] = []
    const lookUp = async (target: TargetSpec): Promise<void> => {
      if (!this.isName(target)) return
      try {
        this.lastGood.set(target.url, await this.findHosts(target))
      } catch (cause) {
        failures.push({ url: target.url, cause })
      }
    }
    await Promise.all(this.targets.map(lookUp))
    return { endpoints: this.known(), failures }
  }

  private isName(target: TargetSpec): boolean {
    return target.srv || isIP(toLookupName(target)) === 0
  }

  private async findHosts(target: TargetSpec): Promise<readonly FoundHost[]> {
    const name = toLookupName(target)
    if (target.srv) return this.findServices(name)
    return [{ addresses: await this.lookup.addresses(name), port: parseTargetUrl(target).port, priority: 0, share: 1 }]
  }

  private async findServices(name: string): Promise<readonly FoundHost[]> {
    const found = await this.lookup.services(name)
    // A single record with the name "." says that the service is decidedly not there (RFC 2782).
    const records = found
      .filter((record) => record.name !== '' && record.name !== '.')
      .toSorted(byPreference)
      .slice(0, MAX_RECORDS)
    const answers = await Promise.allSettled(records.map((record) => this.addressesOf(record.name)))
    const failed = answers.find((answer) => answer.status === 'rejected')
    const hosts = records.flatMap((record, index) => {
      const answer = answers[index]
      if (answer?.status !== 'fulfilled') return []
      const { port, priority } = record
      return [{ addresses: answer.value, port, priority, share: toRecordShare(record, records) }]
    })
    if (hosts.length === 0 && failed !== undefined) throw failed.reason
    return hosts
  }

  private addressesOf(name: string): Promise<readonly Address[]> {
    const family = isIP(name)
    return family === 0 ? this.lookup.addresses(name) : Promise.resolve([{ address: name, family }])
  }
}

function byPreference(a: ServiceRecord, b: ServiceRecord): number {
  return a.priority - b.priority || b.weight - a.weight || (a.name < b.name ? -1 : 1) || a.port - b.port
}

/** A record's share among the records of its priority, in proportion to the weights. */
function toRecordShare(record: ServiceRecord, records: readonly ServiceRecord[]): number {
  const peers = records.filter(({ priority }) => priority === record.priority)
  const sum = peers.reduce((total, { weight }) => total + Math.max(weight, TINY_WEIGHT), 0)
  return Math.max(record.weight, TINY_WEIGHT) / sum
}

function toEndpoints(target: TargetSpec, hosts: readonly FoundHost[]): Endpoint[] {
  const url = parseTargetUrl(target)
  return hosts.flatMap((host) => {
    const priority = target.priority * PRIORITY_STEP + host.priority
    const ways = toWays(host.addresses)
    const weight = (target.weight * host.share) / ways.length
    return ways.map((addresses) => toEndpoint(target, url, addresses, host.port, weight, priority))
  })
}

/**
 * One endpoint for each address of the IP version that the system prefers. The addresses of the other version are the
 * same hosts by another way: they come second, for when the first way fails.
 */
function toWays(found: readonly Address[]): string[][] {
  const preferred = found[0]?.family
  const unique = [...new Set(found.map(({ address }) => address))].toSorted().slice(0, MAX_ADDRESSES)
  const first = unique.filter((address) => isIP(address) === preferred)
  const others = unique.filter((address) => isIP(address) !== preferred)
  return first.map((address, index) => {
    const other = others[index % others.length]
    return other === undefined ? [address] : [address, other]
  })
}
