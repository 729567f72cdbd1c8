/**
 * Who the client is when a proxy stands before the gateway. `Forwarded` (RFC 7239) and `X-Forwarded-*` are believed
 * from right to left as far as trusted proxies wrote them; from everybody else they are dropped.
 */
import { BlockList, isIP } from 'node:net'
import type { Peer } from '../kernel/exchange.ts'
import type { Fields } from '../kernel/fields.ts'
import { toPlainAddress } from './proxy-protocol.ts'

export class TrustedProxies {
  private readonly list = new BlockList()
  readonly any: boolean

  /** `networks` are addresses or CIDR blocks that the configuration has checked. */
  constructor(networks: readonly string[]) {
    this.any = networks.length > 0
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
  const hops = forwardedFor(fields)
  let ip = peer.ip
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = toAddress(hops[i] ?? '')
    if (hop === undefined) break
    ip = hop
    if (!trusted.has(hop)) break
  }
  const scheme = lastOf(fields.joined('x-forwarded-proto')) ?? lastForwarded(fields, 'proto')
  const known = scheme === 'http' || scheme === 'https' ? scheme : peer.scheme
  return ip === peer.ip && known === peer.scheme ? peer : { ...peer, ip, port: 0, scheme: known }
}

function forwardedFor(fields: Fields): readonly string[] {
  const plain = fields.joined('x-forwarded-for')
  if (plain !== undefined) return plain.split(',').slice(-MAX_HOPS)
  const forwarded = fields.joined('forwarded')
  if (forwarded === undefined) return []
  return forwarded
    .split(',')
    .slice(-MAX_HOPS)
    .map((element) => parameterOf(element, 'for') ?? '')
}

/** Nobody has this many proxies; a client may send any number of fields. */
const MAX_HOPS = 32

function lastForwarded(fields: Fields, name: string): string | undefined {
  const element = lastOf(fields.joined('forwarded'))
  return element === undefined ? undefined : parameterOf(element, name)?.toLowerCase()
}

function lastOf(list: string | undefined): string | undefined {
  return list?.slice(list.lastIndexOf(',') + 1).trim()
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
