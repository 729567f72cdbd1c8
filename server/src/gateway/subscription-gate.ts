/**
 * Who has no subscription to an API that is for subscribers alone: in place of the policies of a plan, its request meets
 * this refusal. So the one lookup for the plan also decides whether there is one.
 */
import type { ProductSpec } from '../kernel/snapshot.ts'
import { subscriptionRequired } from './problems.ts'
import type { Segment } from './runtime.ts'

export const refusingSegment: Segment = {
  entries: [
    {
      id: 'subscription',
      kind: 'subscription',
      when: undefined,
      instance: {
        request: ({ principal }) => {
          const { consumer } = principal ?? {}
          if (consumer === undefined)
            return subscriptionRequired({
              detail: 'Only subscribers may call this API, and the caller is no consumer.',
            })
          return subscriptionRequired({ detail: `The consumer ${consumer} has no active subscription to this API.` })
        },
      },
    },
  ],
}

/** Names of the APIs that are for subscribers alone. */
export function closedApis(products: Iterable<ProductSpec>): ReadonlySet<string> {
  const closed = new Set<string>()
  for (const { access, apis } of products) if (access === 'subscription') for (const api of apis) closed.add(api)
  return closed
}
