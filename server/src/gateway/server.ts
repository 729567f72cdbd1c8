/**
 * The gateway of one thread: takes exchanges from its listeners, finds the route, starts the walk, keeps count. The
 * runtime is replaced as a whole by a reload; an exchange ends with the one that it began with.
 */
import { createReply, type Exchange, type ExchangeRequest, type Peer } from '../kernel/exchange.ts'
import { normalisePath } from '../kernel/path.ts'
import { Problem } from '../kernel/problem.ts'
import type { ListenerLimits } from '../kernel/snapshot.ts'
import { BodyRoom } from './body-room.ts'
import type { Carrier, Gateway, Passage, WalkHost } from './carrier.ts'
import type { TrustedProxies } from './client-address.ts'
import { DEBUG_FIELD, isDebugSigned } from './debug.ts'
import { Walk } from './pipeline.ts'
import { toOtherReading } from './other-reading.ts'
import { fault, methodNotAllowed, overloaded, pathRefused, routeNotFound } from './problems.ts'
import type { Found } from './route-tree.ts'
import type { CompiledRoute, Runtime } from './runtime.ts'
import { toUnreadableExchange } from './to-exchange.ts'

export interface GatewayServerOptions {
  readonly nextId: () => string
  /** Every answer shows which policies ran. */
  readonly debug: boolean
  /** Called once for each exchange when it is over. */
  finished(exchange: Exchange, route: CompiledRoute | undefined, status: number, endedMs: number): void
  /** Called with everything that was thrown where nothing may throw. */
  faulted(exchange: Exchange, cause: unknown): void
}

export class GatewayServer implements Gateway, WalkHost {
  draining = false
  inFlight = 0
  runtime: Runtime
  readonly bodyRoom = new BodyRoom(() => this.limits.maxHeldBodyBytes)
  private readonly options: GatewayServerOptions

  constructor(runtime: Runtime, options: GatewayServerOptions) {
    this.runtime = runtime
    this.options = options
  }

  get limits(): ListenerLimits {
    return this.runtime.listener.limits
  }

  get trusted(): TrustedProxies {
    return this.runtime.trusted
  }

  get halfClose(): 'abort' | 'answer' {
    return this.runtime.listener.halfClose
  }

  nextId(): string {
    return this.options.nextId()
  }

  begin(exchange: Exchange, carrier: Carrier): Passage {
    this.inFlight++
    if (this.inFlight > this.limits.maxInFlight) return this.answerAtOnce(exchange, carrier, overloaded())
    try {
      return this.route(exchange, carrier)
    } catch (cause) {
      // A route's condition that cannot be told lets nothing pass.
      this.faulted(exchange, cause)
      return this.answerAtOnce(exchange, carrier, fault({ cause }))
    }
  }

  private route(exchange: Exchange, carrier: Carrier): Passage {
    const { request } = exchange
    if (request.method === 'OPTIONS' && isForUs(request)) {
      // RFC 9110 §9.3.7: asks about the server and no resource of it.
      const walk = new Walk(this, exchange, carrier, undefined, false)
      walk.settled(createReply(204, { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' }))
      return walk
    }
    const path = normalisePath(request.path, this.runtime.keepsEncodedSlash ? 'keep' : 'refuse')
    if (path instanceof Problem) return this.answerAtOnce(exchange, carrier, path)
    request.path = path
    const preflightFor = toPreflightMethod(exchange)
    let found = this.runtime.router.find(exchange, preflightFor ?? request.method, request.host, path)
    // A preflight for a route without a CORS policy is an OPTIONS request like any other.
    if (preflightFor !== undefined && !(isFound(found) && found.route.preflight !== undefined)) {
      found = this.runtime.router.find(exchange, request.method, request.host, path)
    }
    if (!isFound(found)) return this.answerAtOnce(exchange, carrier, toNotFound(found))
    const { route } = found
    const other = toOtherReading(path)
    if (other !== undefined && this.leadsElsewhere(other, route, exchange, preflightFor)) {
      return this.answerAtOnce(exchange, carrier, pathRefused({ detail: OTHER_ROUTE }))
    }
    if (this.runtime.keepsEncodedSlash && route.match.encodedSlash === 'refuse' && path.includes('%2F')) {
      return this.answerAtOnce(exchange, carrier, pathRefused({ detail: 'This route takes no encoded slash.' }))
    }
    exchange.route = route
    exchange.parameters = found.parameters
    if (this.isDebugged(exchange)) exchange.decisions = []
    const walk = new Walk(this, exchange, carrier, route, preflightFor !== undefined)
    walk.start()
    return walk
  }

  /** Whether a reading of the path that is not ours is one of another route. */
  private leadsElsewhere(path: string, route: CompiledRoute, exchange: Exchange, preflightFor?: string): boolean {
    const { method, host } = exchange.request
    const found = this.runtime.router.find(exchange, preflightFor ?? method, host, path)
    return isFound(found) && found.route !== route
  }

  refuse(problem: Problem, peer: Peer, carrier: Carrier, version: '1.1' | '2' = '1.1'): Passage {
    this.inFlight++
    return this.answerAtOnce(toUnreadableExchange(this.nextId(), peer, version), carrier, problem)
  }

  finished(exchange: Exchange, route: CompiledRoute | undefined, status: number, endedMs: number): void {
    this.inFlight--
    this.options.finished(exchange, route, status, endedMs)
  }

  faulted(exchange: Exchange, cause: unknown): void {
    this.options.faulted(exchange, cause)
  }

  private answerAtOnce(exchange: Exchange, carrier: Carrier, problem: Problem): Passage {
    const walk = new Walk(this, exchange, carrier, undefined, false)
    walk.settled(problem)
    return walk
  }

  private isDebugged({ request }: Exchange): boolean {
    const { debugKey } = this.runtime.listener
    const signed = debugKey === undefined ? undefined : request.fields.get(DEBUG_FIELD)
    // The signature is good for others, too, as long as it counts: it goes no further, whether it was needed or not.
    if (signed !== undefined) request.fields.remove(DEBUG_FIELD)
    if (this.options.debug) return true
    if (debugKey === undefined || signed === undefined) return false
    return isDebugSigned(signed, debugKey, request.host, Date.now())
  }
}

const OTHER_ROUTE =
  'Servers that cut path parameters off, or decode twice, would read this path as one of another route.'

function isFound(found: Found<CompiledRoute> | Set<string> | undefined): found is Found<CompiledRoute> {
  return found !== undefined && !(found instanceof Set)
}

/** `OPTIONS *`, or one that may go no further (`Max-Forwards`, RFC 9110 §7.6.2, which counts down here). */
function isForUs({ path, fields }: ExchangeRequest): boolean {
  const left = fields.get('max-forwards')
  if (left !== undefined && /^[1-9]\d{0,8}$/.test(left)) fields.set('max-forwards', String(Number(left) - 1))
  return path === '*' || left === '0'
}

/** The method that a CORS preflight asks for (Fetch standard), undefined when the request is none. */
function toPreflightMethod({ request }: Exchange): string | undefined {
  if (request.method !== 'OPTIONS' || !request.fields.has('origin')) return undefined
  return request.fields.get('access-control-request-method')
}

function toNotFound(allowed: Set<string> | undefined): Problem {
  if (allowed === undefined) return routeNotFound()
  return methodNotAllowed({ headers: { allow: [...allowed].toSorted().join(', ') } })
}
