/**
 * One address of a target as plain data: what resolving names on the main thread hands to the worker threads, which
 * make a live `Target` of it.
 */
import { isIP } from 'node:net'
import type { TargetSpec } from '../../kernel/snapshot.ts'

export interface Endpoint {
  /** Unique within its upstream and the same after every reload: the target's URL and the address. */
  readonly id: string
  readonly scheme: 'http' | 'https'
  /** Value of `Host` or `:authority`: the URL's, with its port when it names one. */
  readonly authority: string
  /** The name that a certificate must prove: the URL's host; for SRV the name that was configured, not the records'. */
  readonly host: string
  /** Where to connect: the address of this endpoint first, then those of the same name in the other IP version. */
  readonly addresses: readonly string[]
  readonly port: number
  /** The URL's path without a slash at its end; empty for the root. */
  readonly basePath: string
  /** This endpoint's share of its target's weight. */
  readonly weight: number
  /** Lower is used first. */
  readonly priority: number
  /** Where the health board has the verdict of the active checks; 0 when there are none. */
  readonly healthSlot: number
}

/** The parts of a target's URL; the configuration has checked that it is one. */
export interface TargetUrl {
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly host: string
  readonly port: number
  readonly basePath: string
}

/** Labels in front of the domain in a SRV name, `_service._proto` (RFC 2782). */
const SRV_LABELS = /^_[^.]+\._[^.]+\./

/** Takes the URL of a target apart; throws when it is none, which the configuration's check has ruled out. */
export function parseTargetUrl(target: TargetSpec): TargetUrl {
  const url = new URL(target.url)
  const scheme = url.protocol === 'https:' ? 'https' : 'http'
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const basePath = url.pathname.replace(/\/+$/, '')
  // The records of a SRV name say where to connect; who is asked remains the domain that the operator wrote.
  if (target.srv) {
    const domain = host.replace(SRV_LABELS, '')
    return { scheme, authority: domain, host: domain, port: 0, basePath }
  }
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port)
  return { scheme, authority: url.host, host, port, basePath }
}

/** The name that is looked up for a target: the URL's host, with the labels of a SRV name. */
export function toLookupName(target: TargetSpec): string {
  return new URL(target.url).hostname.replace(/^\[|\]$/g, '')
}

/**
 * What a target is before its name was looked up: a literal address as it is; a name as its own address, so that
 * connecting looks it up; a SRV name has nothing yet.
 */
export function toUnresolvedEndpoints(targets: readonly TargetSpec[]): Endpoint[] {
  return targets
    .filter((target) => !target.srv)
    .map((target) => {
      const url = parseTargetUrl(target)
      return toEndpoint(target, url, [url.host], url.port, target.weight, target.priority * PRIORITY_STEP)
    })
}

/** Room between two priorities of the configuration for those of SRV records, which are 16 bits wide. */
export const PRIORITY_STEP = 65_536

/** Makes the endpoint at the first of `addresses`; weight and priority are its own, not those of the whole target. */
export function toEndpoint(
  target: TargetSpec,
  url: TargetUrl,
  addresses: readonly string[],
  port: number,
  weight: number,
  priority: number,
): Endpoint {
  const { scheme, authority, host, basePath } = url
  const id = `${target.url} ${toHostPort(addresses[0] ?? host, port)}`
  return { id, scheme, authority, host, addresses, port, basePath, weight, priority, healthSlot: 0 }
}

/** `address:port`, an IPv6 address in brackets (RFC 3986 §3.2.2). */
export function toHostPort(address: string, port: number): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
}

/** Names the targets of an upstream as they are configured, so that late results for other ones are told apart. */
export function toTargetsKey(targets: readonly TargetSpec[]): string {
  return JSON.stringify(targets.map((target) => [target.url, target.srv, target.weight, target.priority]))
}

/** The addresses of an upstream's targets, sent to every worker thread whenever they change. */
export interface UpstreamEndpoints {
  readonly upstream: string
  readonly targetsKey: string
  readonly endpoints: readonly Endpoint[]
}
