/**
 * Who the client is when a proxy stands before the gateway. One kind of fields is read, `X-Forwarded-*` or `Forwarded`
 * (RFC 7239), and believed from right to left as far as trusted proxies wrote it. The other kind says nothing: a proxy
 * that writes the one passes the other on as its client sent it.
 */
import { BlockList, isIP } from 'node:net'
import type { Peer } from '../kernel/exchange.ts'
import type { Fields } from '../kernel/fields.ts'
import type { ForwardedField } from '../kernel/snapshot.ts'
import { toPlainAddress } from './proxy-protocol.ts'

export class TrustedProxies {
  private readonly list = new BlockList()
  readonly any: boolean
  /** The kind of fields that they write. */
  readonly writes: ForwardedField

  /** `networks` are addresses or CIDR blocks that the configuration has checked. */
  constructor(networks: readonly string[], writes: ForwardedField) {
    this.any = networks.length > 0
    this.writes = writes
    for (const network of networks) {
      const [address = '', bits] = network.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      this.list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family)
    }
  }

  has(address: string): boolean {
    if (!this.any) return false
    const version = isIP(address)
    return version !== 0 && this.list.check(address, version === 6 ? 'ipv6' : 'ipv4')
  }
}

/** The peer as a trusted proxy's fields describe it; the connection's own peer when they say nothing usable. */
export function toForwardedPeer(fields: Fields, peer: Peer, trusted: TrustedProxies): Peer {
  const { hops, scheme } = trusted.writes === 'forwarded' ? readForwarded(fields) : readPlainFields(fields)
  let ip = peer.ip
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = toAddress(hops[i] ?? '')
    if (hop === undefined) break
    ip = hop
    if (!trusted.has(hop)) break
  }
  const known = scheme === 'http' || scheme === 'https' ? scheme : peer.scheme
  return ip === peer.ip && known === peer.scheme ? peer : { ...peer, ip, port: 0, scheme: known }
}

/** What fields say: addresses, the nearest last, and how the nearest proxy was asked. */
interface Told {
  readonly hops: readonly string[]
  readonly scheme: string | undefined
}

function readPlainFields(fields: Fields): Told {
  const [scheme] = toLastParts(fields.joined('x-forwarded-proto'), 1)
  return { hops: toLastParts(fields.joined('x-forwarded-for'), MAX_HOPS), scheme: scheme?.trim().toLowerCase() }
}

/** A comma always ends an element, also within quotes: an open quote of a client must not swallow what proxies add. */
function readForwarded(fields: Fields): Told {
  const elements = toLastParts(fields.joined('forwarded'), MAX_HOPS)
  const hops = elements.map((element) => parameterOf(element, 'for') ?? '')
  return { hops, scheme: parameterOf(elements.at(-1) ?? '', 'proto')?.toLowerCase() }
}

/** Nobody has this many proxies; a client may send any number of fields. */
const MAX_HOPS = 32

function toLastParts(list: string | undefined, count: number): string[] {
  return list === undefined ? [] : list.split(',').slice(-count)
}

/** One parameter of a `Forwarded` element; quoted strings as RFC 7239 §4 wants them for IPv6. */
function parameterOf(element: string, name: string): string | undefined {
  for (const part of element.split(';')) {
    const equals = part.indexOf('=')
    if (part.slice(0, equals).trim().toLowerCase() !== name) continue
    return part
      .slice(equals + 1)
      .trim()
      .replace(/^"|"$/g, '')
  }
  return undefined
}

/** The plain address of a hop: without port and brackets; undefined for names and `unknown`. */
function toAddress(hop: string): string | undefined {
  const text = hop.trim()
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1]
  const address = bracketed ?? (isIP(text) === 0 ? text.replace(/:\d+$/, '') : text)
  return isIP(address) === 0 ? undefined : toPlainAddress(address)
}
