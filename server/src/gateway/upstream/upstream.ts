/**
 * The way of an exchange to its upstream: pick a target, send, take the answer or try again where that is safe.
 *
 * One `Upstream` for each named upstream, thread and snapshot; its targets and connections outlive a reload. One
 * `Forwarding` for each exchange, which is told of everything that happens to it.
 */
import { performance } from 'node:perf_hooks'
import type { Body, BodySource } from '../../kernel/body.ts'
import { isBodySource } from '../../kernel/body.ts'
import type { Exchange, Reply } from '../../kernel/exchange.ts'
import type { Fields } from '../../kernel/fields.ts'
import type { Problem } from '../../kernel/problem.ts'
import type { UpstreamSpec } from '../../kernel/snapshot.ts'
import type { CompiledRoute } from '../runtime.ts'
import type { Balancer } from './balancer.ts'
import type { UpstreamCall, UpstreamError, UpstreamReceiver } from './client.ts'
import { toFailureKind, type Attempt, type TargetFeedback } from './feedback.ts'
import { Patience } from './patience.ts'
import { noTarget, toBrokenProblem, toUpstreamProblem } from './problems.ts'
import { isRetrySafe, isRetryStatus, toBackoffMs } from './retry.ts'
import type { RetryBudget } from './retry-budget.ts'
import type { Target } from './target.ts'
import type { TargetSet } from './target-set.ts'
import { toUpstreamRequest } from './to-upstream-request.ts'

export interface Upstream {
  readonly spec: UpstreamSpec
  readonly targets: TargetSet
  readonly balancer: Balancer
  readonly feedback: TargetFeedback
  readonly retryBudget: RetryBudget
  readonly hashBy: ((exchange: Exchange) => string) | undefined
}

/** Who asked for the exchange to be forwarded. */
export interface ForwardingOwner {
  informed(status: number, fields: Fields): void
  /** `nowMs` is the time of this call. */
  replied(reply: Reply, nowMs: number): void
  refused(problem: Problem): void
  /** Whether a trailer may go on to the upstream or, as one of the answer, to the client. */
  passesTrailer(direction: 'request' | 'response', name: string): boolean
  /** The reply's body broke off after `replied`: the blame for the record. */
  broke(problem: Problem): void
}

export class Forwarding implements UpstreamReceiver {
  private readonly upstream: Upstream
  private readonly exchange: Exchange
  private readonly route: CompiledRoute
  private readonly owner: ForwardingOwner
  private readonly patience: Patience
  private readonly startedMs: number
  private call: UpstreamCall | undefined
  private current: Attempt | undefined
  private tried: Target[] | undefined
  private attempts = 0
  private retryTimer: NodeJS.Timeout | undefined

  constructor(upstream: Upstream, exchange: Exchange, route: CompiledRoute, owner: ForwardingOwner) {
    this.upstream = upstream
    this.exchange = exchange
    this.route = route
    this.owner = owner
    this.startedMs = performance.now()
    this.patience = new Patience(route.timeouts ?? upstream.spec.timeouts, exchange.request, this.startedMs)
    exchange.upstream = {
      name: upstream.spec.name,
      target: '',
      attempts: 0,
      startedMs: this.startedMs,
      headMs: 0,
      status: 0,
    }
  }

  start(): void {
    const { upstream } = this
    upstream.retryBudget.countRequest(this.startedMs)
    this.attempt(this.startedMs)
  }

  informational(status: number, fields: Fields): void {
    this.owner.informed(status, fields)
  }

  head(status: number, fields: Fields, body: Body): void {
    const { exchange, upstream, current } = this
    const nowMs = performance.now()
    if (current !== undefined) upstream.feedback.succeeded(current, status, nowMs)
    const { retries } = upstream.spec
    if (
      retries.statuses.length > 0 &&
      isRetryStatus(exchange.request.method, this.isReplayable('some'), status, retries)
    ) {
      if (this.retry(nowMs)) {
        if (isBodySource(body)) body.cancel()
        return
      }
    }
    if (exchange.upstream !== undefined) {
      exchange.upstream.headMs = nowMs
      exchange.upstream.status = status
    }
    if (!isBodySource(body)) this.finishAttempt()
    this.owner.replied({ status, fields, body: isBodySource(body) ? this.download(body, nowMs) : body }, nowMs)
  }

  fail(error: UpstreamError): void {
    const nowMs = performance.now()
    const kind = toFailureKind(error.kind)
    const { current, upstream } = this
    if (current !== undefined && kind !== undefined) upstream.feedback.failed(current, kind, nowMs)
    if (isRetrySafe(this.exchange.request.method, this.isReplayable(error.sent), error) && this.retry(nowMs)) return
    this.finishAttempt()
    this.owner.refused(toUpstreamProblem(error))
  }

  /** The exchange is over or nobody wants its answer any more. */
  close(): void {
    clearTimeout(this.retryTimer)
    if (this.current === undefined) return
    this.finishAttempt()
    this.call?.cancel()
  }

  tick(nowMs: number): void {
    const { current } = this
    // A tunnel is open for as long as both sides like; TCP finds out when one is dead.
    if (current === undefined || this.exchange.upstream?.status === 101) return
    const reason = this.patience.overdue(nowMs, current.startedMs)
    if (reason !== undefined) this.call?.abort('timeout', reason)
  }

  private download(body: BodySource, nowMs: number): BodySource {
    const passes = (name: string): boolean => this.owner.passesTrailer('response', name)
    return this.patience.download(body, nowMs, passes, (cause) => this.bodyBroke(cause))
  }

  /** A trailer must not add to a field that the head has, nor to the upstream's credentials. */
  private passesTrailer(name: string): boolean {
    const plainName = name.replaceAll('_', '-')
    if (this.exchange.request.fields.has(name)) return false
    if (this.upstream.spec.headers.some((credential) => credential.name === plainName)) return false
    return this.owner.passesTrailer('request', name)
  }

  private attempt(nowMs: number): void {
    const { upstream, exchange } = this
    const consistent = upstream.spec.loadBalancing.algorithm === 'consistent-hash'
    const hashKey = consistent ? (upstream.hashBy?.(exchange) ?? exchange.request.peer.ip) : undefined
    const target = upstream.balancer.pick(upstream.targets, hashKey, this.tried, nowMs)
    if (target?.client === undefined) {
      this.owner.refused(noTarget({ detail: `No target of the upstream "${upstream.spec.name}" can be used.` }))
      return
    }
    this.current = upstream.feedback.started(target, nowMs)
    const attempt = ++this.attempts
    if (exchange.upstream !== undefined) {
      exchange.upstream.target = target.endpoint.id
      exchange.upstream.attempts = attempt
    }
    const isStreamed = isBodySource(exchange.request.body)
    const body = this.patience.upload(nowMs, isStreamed ? (name) => this.passesTrailer(name) : undefined)
    const request = toUpstreamRequest(exchange, this.route, upstream.spec, target.endpoint, body)
    const call = target.client.send(request, this)
    // The client may have failed before it returned, and the next attempt may be under way already.
    if (attempt === this.attempts) this.call = call
  }

  /** Tries once more if attempts and budget are left; false: they are not. */
  private retry(nowMs: number): boolean {
    const { exchange, upstream, current, attempts } = this
    if (current === undefined || attempts > upstream.spec.retries.attempts || exchange.aborted) return false
    if (this.patience.isOver(nowMs) || !upstream.retryBudget.take(nowMs)) return false
    this.finishAttempt()
    this.tried ??= []
    this.tried.push(current.target)
    // A target that failed says nothing about the next one: the first retry elsewhere does not wait.
    if (attempts === 1 && upstream.targets.targets.length > 1) this.attempt(nowMs)
    else
      this.retryTimer = setTimeout(() => this.attempt(performance.now()), toBackoffMs(upstream.spec.retries, attempts))
    return true
  }

  /** Whether the request can be sent again from its start: a body that streams only when none of it was taken. */
  private isReplayable(sent: UpstreamError['sent']): boolean {
    const { body, upgrade } = this.exchange.request
    return sent === 'nothing' || (!isBodySource(body) && upgrade === undefined)
  }

  private bodyBroke(cause: Error): void {
    const { current, upstream } = this
    const problem = toBrokenProblem(cause)
    if (current !== undefined && problem.definition.blame === 'upstream') {
      upstream.feedback.failed(current, 'reset', performance.now())
    }
    this.owner.broke(problem)
  }

  private finishAttempt(): void {
    const { current } = this
    if (current === undefined) return
    this.current = undefined
    this.upstream.feedback.finished(current)
  }
}
