/** Whose requests share a counter: compiled once to a function that names the counter of an exchange. */
import ipaddr from 'ipaddr.js'
import type { Exchange, Peer } from '../../kernel/exchange.ts'
import type { PolicyServices } from '../../kernel/policy-services.ts'

const countByWords = ['principal', 'consumer', 'ip', 'route'] as const
type CountByWord = (typeof countByWords)[number]

/** Names of consumers have no blanks, so a name with one can never be taken for a consumer's. */
const SUBJECT = 'subject '
const ADDRESS = 'ip '

export function isCountByWord(text: string): text is CountByWord {
  return countByWords.some((word) => word === text)
}

/** The function gives the key of an exchange, and throws an ExpressionFault when an expression cannot tell it. */
export function compileCountBy(countBy: string, services: PolicyServices): (exchange: Exchange) => string {
  if (!isCountByWord(countBy)) return services.expression(countBy, 'string')
  const networkOf = createNetworkReader()
  const byWord: Record<CountByWord, (exchange: Exchange) => string> = {
    route: ({ route }) => route?.id ?? '',
    ip: ({ request }) => networkOf(request.peer),
    // Whoever is nobody in particular is counted by where the request comes from: never not at all.
    principal: ({ principal, request }) => {
      if (principal === undefined) return ADDRESS + networkOf(request.peer)
      return principal.consumer === undefined ? SUBJECT + principal.id : principal.id
    },
    consumer: ({ principal, request }) => {
      if (principal === undefined) return ADDRESS + networkOf(request.peer)
      return principal.consumer ?? SUBJECT + principal.id
    },
  }
  return byWord[countBy]
}

/** Remembers the network of each connection: reading an IPv6 address costs a microsecond. */
function createNetworkReader(): (peer: Peer) => string {
  const known = new WeakMap<Peer, string>()
  return (peer) => {
    if (!peer.ip.includes(':')) return peer.ip
    let network = known.get(peer)
    if (network === undefined) {
      network = toClientNetwork(peer.ip)
      known.set(peer, network)
    }
    return network
  }
}

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 one, which is the least that a site gets (RFC 6177),
 * so that nobody has 2^64 counters to himself. An IPv4 address in IPv6 form (RFC 4291 §2.5.5.2) is the IPv4 address.
 */
export function toClientNetwork(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip
  const address = ipaddr.process(ip)
  if (!(address instanceof ipaddr.IPv6)) return address.toString()
  return `${address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}
