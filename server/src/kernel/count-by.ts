/** Whose requests share a counter: compiled once to a function that names the counter of an exchange. */
import { z } from 'zod'
import { toClientNetwork } from './client-network.ts'
import type { Exchange, Peer } from './exchange.ts'
import type { Capability, PolicyCheck } from './policy.ts'
import type { PolicyServices } from './policy-services.ts'

const countByWords = ['principal', 'consumer', 'ip', 'route'] as const
type CountByWord = (typeof countByWords)[number]

/** Names of consumers have no blanks, so a name with one can never be taken for a consumer's. */
const SUBJECT = 'subject '
const ADDRESS = 'ip '

/** Keys of a configuration that say whose requests are counted together, and for how much. */
export const countByKey = z.string().min(1).max(4096).default('principal').meta({
  title: 'Count by',
  description:
    'Requests with the same value share one counter: `principal` (who calls; anonymous callers by address), `consumer`, `ip` (IPv6 by /64), `route`, or a CEL expression that gives a text.',
  language: 'cel',
})
export const costKey = z.string().min(1).max(4096).optional().meta({
  title: 'Cost',
  description: 'CEL expression that gives how much a request counts, as a whole number. By default 1.',
  language: 'cel',
})

interface CountConfig {
  readonly countBy: string
  readonly cost?: string | undefined
}

function isCountByWord(text: string): text is CountByWord {
  return countByWords.some((word) => word === text)
}

export function toCountCapabilities({ countBy }: CountConfig): { needs: Capability[]; gives: Capability[] } {
  return { needs: countBy === 'principal' || countBy === 'consumer' ? ['principal'] : [], gives: [] }
}

/** `capacity` is the most that can be had at once. */
export function checkCounting({ countBy, cost }: CountConfig, capacity: number, check: PolicyCheck): void {
  if (!isCountByWord(countBy)) check.expression(['countBy'], countBy, 'string')
  if (cost === undefined) return
  check.expression(['cost'], cost, 'int')
  if (/^\s*0+\s*$/.test(cost)) check.report(['cost'], 'has the effect that nothing is ever counted')
  else if (/^\s*\d+\s*$/.test(cost) && Number(cost) > capacity)
    check.report(
      ['cost'],
      `is more than the ${capacity} that can be had at once, so every request would be turned away`,
    )
}

/** What an exchange costs; a negative cost would give back what others have used. */
export function compileCost(cost: string | undefined, services: PolicyServices): (exchange: Exchange) => number {
  if (cost === undefined) return () => 1
  const costOf = services.expression(cost, 'int')
  return (exchange) => Math.max(0, costOf(exchange))
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
