/** Lets in or turns away by the address that a request comes from. */
import { isIP } from 'node:net'
import { z } from 'zod'
import type { Peer } from '../../kernel/exchange.ts'
import { definePolicy, type PolicyCheck } from '../../kernel/policy.ts'
import { defineProblem, type Problem } from '../../kernel/problem.ts'
import { createNetworkSet, parseNetwork } from './networks.ts'

const denied = defineProblem({
  code: 'ip_filter.denied',
  status: 403,
  title: 'Address not allowed',
  blame: 'caller',
  remedy:
    'Call from a network that is allowed. When the address in the detail is one of a proxy or load balancer, the operator has to name it in `trustedProxies`.',
})

const network = z
  .union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()])
  .meta({ title: 'Network', description: 'A network such as `10.0.0.0/8` or `2001:db8::/32`, or a single address.' })

export const ipFilter = definePolicy({
  kind: 'ip-filter',
  title: 'IP filter',
  summary: 'Lets in or turns away by the network that a request comes from.',
  stability: 'stable',
  config: z.strictObject({
    allow: z.array(network).max(10_000).default([]).meta({
      title: 'Allow',
      description: 'Only these networks are let in. An empty list lets all in.',
    }),
    deny: z.array(network).max(10_000).default([]).meta({
      title: 'Deny',
      description: 'These networks are turned away, also where `allow` has them.',
    }),
  }),
  examples: [
    { title: 'Only from inside', config: { allow: ['10.0.0.0/8', '192.168.0.0/16', 'fd00::/8'] } },
    { title: 'A network, but not one part of it', config: { allow: ['203.0.113.0/24'], deny: ['203.0.113.128/25'] } },
  ],
  problems: [denied],

  check({ allow, deny }, check) {
    if (allow.length === 0 && deny.length === 0) check.report([], 'filters nothing: give `allow` or `deny`')
    reportLooseBits(allow, 'allow', check)
    reportLooseBits(deny, 'deny', check)
    const denies = createNetworkSet(deny.map(parseNetwork))
    for (const [at, text] of allow.entries()) {
      if (denies.covers(parseNetwork(text)))
        check.report(['allow', at], `${text} is never let in: \`deny\` has all of it`)
    }
    const allows = createNetworkSet(allow.map(parseNetwork))
    for (const [at, text] of deny.entries()) {
      if (allow.length === 0 || allows.touches(parseNetwork(text))) continue
      check.report(['deny', at], `${text} has no effect: \`allow\` does not have any of it`)
    }
  },

  setup({ allow, deny }) {
    const allows = createNetworkSet(allow.map(parseNetwork))
    const denies = createNetworkSet(deny.map(parseNetwork))
    // A peer is one object for all requests of a connection, so its address is judged once.
    const judged = new WeakMap<Peer, Problem | 'allowed'>()
    const judge = ({ ip }: Peer): Problem | 'allowed' => {
      // What is no address belongs to no network, so no list of denied ones could ever name it.
      const allowed = isIP(ip) !== 0 && (allow.length === 0 || allows.contains(ip)) && !denies.contains(ip)
      return allowed ? 'allowed' : denied({ detail: `Requests from ${ip} are not allowed here.` })
    }
    return {
      request({ request: { peer } }) {
        let verdict = judged.get(peer)
        if (verdict === undefined) {
          verdict = judge(peer)
          judged.set(peer, verdict)
        }
        return verdict === 'allowed' ? undefined : verdict
      },
    }
  },
})

/** `10.1.2.3/8` may be meant as the host or as the network: whoever wrote it has to say. */
function reportLooseBits(list: readonly string[], key: string, check: PolicyCheck): void {
  for (const [at, text] of list.entries()) {
    if (!text.includes('/')) continue
    const [address = ''] = text.split('/')
    const meant = parseNetwork(text)
    if (parseNetwork(address).first !== meant.first)
      check.report([key, at], `${text} is no network: write ${meant.text}, or ${address} for the one address`)
  }
}
