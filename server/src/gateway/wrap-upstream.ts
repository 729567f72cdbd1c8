/** Policies that wrap the call of the upstream, the first of the list outermost. */
import type { Exchange, Reply } from '../kernel/exchange.ts'
import type { PolicyInstance } from '../kernel/policy.ts'
import type { Problem } from '../kernel/problem.ts'
import type { Entry } from './runtime.ts'

type Call = () => Promise<Reply | Problem>

/** One call through all `upstream` phases of the entries down to `innermost`. */
export function wrapUpstream(entries: readonly Entry[], exchange: Exchange, innermost: Call): Call {
  return entries.reduceRight<Call>(
    (next, { instance }) => (instance.upstream === undefined ? next : () => wrap(instance, exchange, next)),
    innermost,
  )
}

async function wrap(instance: PolicyInstance, exchange: Exchange, next: Call): Promise<Reply | Problem> {
  return instance.upstream === undefined ? next() : instance.upstream(exchange, next)
}
