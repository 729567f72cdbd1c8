/** The one exit: whatever happened, what goes to the client is put together here. */
import { createReply, type Exchange, type Reply } from '../kernel/exchange.ts'
import { Fields } from '../kernel/fields.ts'
import { toProblemJson, toProxyStatus, type Problem, type ProblemDefinition } from '../kernel/problem.ts'
import type { ListenerSpec } from '../kernel/snapshot.ts'
import { toDebugField } from './debug.ts'
import { toHundredths } from './number-texts.ts'

const CACHE_CONTROL = 'cache-control'
const PROXY_STATUS = new WeakMap<ProblemDefinition, string>()

/** The answer to a problem: RFC 9457 details, marked as ours (RFC 9209). */
export function toProblemReply(problem: Problem, requestId: string): Reply {
  const { definition, headers } = problem
  let proxyStatus = PROXY_STATUS.get(definition)
  if (proxyStatus === undefined) {
    proxyStatus = toProxyStatus(definition)
    PROXY_STATUS.set(definition, proxyStatus)
  }
  const reply = createReply(
    definition.status,
    { 'content-type': 'application/problem+json', 'proxy-status': proxyStatus, date: httpDate() },
    toProblemJson(problem, requestId),
  )
  if (headers !== undefined) for (const name in headers) reply.fields.append(name, headers[name] ?? '')
  return reply
}

/**
 * The fields that follow the reply's in the final answer: what policies added, and what every answer carries. They stay
 * apart because an upstream's fields are often those of its answer before: unchanged, they need no copy.
 */
export function toOwnFields(exchange: Exchange, reply: Reply, listener: ListenerSpec, nowMs: number): Fields {
  const { upstream } = exchange
  const own = exchange.replyFields ?? new Fields()
  if (own.has(CACHE_CONTROL)) {
    // Some caches read the first line of it alone.
    reply.fields.set(CACHE_CONTROL, own.values[own.names.lastIndexOf(CACHE_CONTROL)] ?? '')
    own.remove(CACHE_CONTROL)
  }
  reply.fields.remove('x-request-id')
  own.append('x-request-id', exchange.id)
  if (listener.serverTiming) {
    const totalMs = nowMs - exchange.startedMs
    const upstreamMs = upstream === undefined || upstream.headMs === 0 ? 0 : upstream.headMs - upstream.startedMs
    const ours = 'gateway;dur=' + toHundredths(totalMs - upstreamMs)
    own.append('server-timing', upstream === undefined ? ours : ours + ', upstream;dur=' + toHundredths(upstreamMs))
  }
  if (exchange.decisions !== undefined) own.append('x-headgate-decisions', toDebugField(exchange.decisions))
  return own
}

let dateText = ''
let dateSecond = 0

/** `Date` (RFC 9110 §6.6.1), made once a second. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateText = new Date(second * 1000).toUTCString()
  }
  return dateText
}
