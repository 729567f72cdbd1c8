/**
 * The walk of one exchange once it has a route: request phases in the order of the list, the upstream, response phases
 * in reverse, the answer, close phases in reverse. It stays synchronous until a policy returns a promise.
 */
import { performance } from 'node:perf_hooks'
import { isBodySource } from '../kernel/body.ts'
import type { Exchange, Reply } from '../kernel/exchange.ts'
import type { Fields } from '../kernel/fields.ts'
import type { Answer, PolicyInstance } from '../kernel/policy.ts'
import { Problem } from '../kernel/problem.ts'
import { HeldRoom } from './body-room.ts'
import type { Carrier, Passage, WalkHost } from './carrier.ts'
import { noteDecision } from './debug.ts'
import { fault, noUpstream } from './problems.ts'
import { contentTooLarge, readBody } from './read-body.ts'
import { toOwnFields, toProblemReply } from './respond.ts'
import type { CompiledRoute, Entry, Runtime, Segment } from './runtime.ts'
import { wrapUpstream } from './wrap-upstream.ts'
import { Forwarding, type ForwardingOwner } from './upstream/upstream.ts'

export class Walk implements Passage, ForwardingOwner {
  private readonly host: WalkHost
  private readonly exchange: Exchange
  private readonly carrier: Carrier
  private readonly route: CompiledRoute | undefined
  private readonly runtime: Runtime
  private segment: Segment | undefined
  private at = 0
  private preflight: boolean
  private principalDone = false
  private entered: Entry[] | undefined
  private wraps = false
  private responds = false
  private closes = false
  private forwarding: Forwarding | undefined
  private held: HeldRoom | undefined
  private toWrapper: ((answer: Reply | Problem) => void) | undefined
  private status = 0
  private sent = false
  /** The time while the answer is handed over, else 0: what ends within that call asks no clock again. */
  private sendingMs = 0
  private over = false

  constructor(
    host: WalkHost,
    exchange: Exchange,
    carrier: Carrier,
    route: CompiledRoute | undefined,
    preflight: boolean,
  ) {
    this.host = host
    this.runtime = host.runtime
    this.exchange = exchange
    this.carrier = carrier
    this.route = route
    this.segment = preflight ? route?.preflight : route?.segment
    this.preflight = preflight
  }

  /** Goes from the first policy to the answer, or to the first promise. */
  start(): void {
    try {
      this.requestPhases()
    } catch (cause) {
      this.fail(cause)
    }
  }

  informed(status: number, fields: Fields): void {
    this.carrier.inform(status, fields)
  }

  replied(reply: Reply, nowMs: number): void {
    this.exchange.replyFromUpstream = true
    this.upstreamAnswered(reply, nowMs)
  }

  refused(problem: Problem): void {
    this.upstreamAnswered(problem)
  }

  passesTrailer(direction: 'request' | 'response', name: string): boolean {
    return this.entered?.some(({ instance }) => instance.claims?.[direction]?.(name) === true) !== true
  }

  broke(problem: Problem): void {
    this.exchange.problem ??= problem
  }

  clientLeft(): void {
    if (this.over) return
    this.exchange.aborted = true
    this.end(499)
  }

  ended(responseBytes: number, cause: Error | undefined): void {
    if (this.over) return
    this.exchange.responseBytes = responseBytes
    if (cause !== undefined) this.exchange.problem ??= fault({ cause })
    this.end(this.status)
  }

  tick(nowMs: number): void {
    this.forwarding?.tick(nowMs)
  }

  private requestPhases(): void {
    const { exchange } = this
    while (!this.over) {
      const { segment } = this
      if (segment === undefined || this.at >= segment.entries.length) {
        if (this.enterNextSegment()) continue
        this.forward()
        return
      }
      const entry = segment.entries[this.at++]
      if (entry === undefined || (entry.when !== undefined && !entry.when(exchange))) {
        if (exchange.decisions !== undefined && entry !== undefined) noteDecision(exchange, entry, 'request', 'skipped')
        continue
      }
      const { requestBody } = entry.instance
      if (requestBody !== undefined && !this.hasBodyFor(entry, requestBody)) return
      if (!this.enter(entry)) return
    }
  }

  /** Runs one request phase; false when the walk went elsewhere: an answer, or a promise. */
  private enter(entry: Entry): boolean {
    const { instance } = entry
    if (this.entered === undefined) this.entered = [entry]
    else this.entered.push(entry)
    if (instance.upstream !== undefined) this.wraps = true
    if (instance.response !== undefined) this.responds = true
    if (instance.close !== undefined) this.closes = true
    if (instance.request === undefined) return true
    const answer = instance.request(this.exchange)
    if (answer === undefined) {
      if (this.exchange.decisions !== undefined) noteDecision(this.exchange, entry, 'request', 'passed')
      return true
    }
    if (answer instanceof Promise) {
      answer.then(
        (later) => this.resume(entry, later),
        (cause: unknown) => this.fail(cause),
      )
      return false
    }
    this.answeredBy(entry, answer)
    return false
  }

  private resume(entry: Entry, answer: Answer): void {
    this.guarded(() => {
      if (answer !== undefined) this.answeredBy(entry, answer)
      else {
        if (this.exchange.decisions !== undefined) noteDecision(this.exchange, entry, 'request', 'passed')
        this.requestPhases()
      }
    })
  }

  private answeredBy(entry: Entry, answer: Reply | Problem): void {
    if (this.exchange.decisions !== undefined) noteDecision(this.exchange, entry, 'request', 'answered', answer)
    this.settled(answer)
  }

  /** The body is read once, whoever asks first, and fits every limit; false when the walk waits for it or has answered. */
  private hasBodyFor(entry: Entry, wanted: NonNullable<PolicyInstance['requestBody']>): boolean {
    const { request } = this.exchange
    if (wanted.wants?.(this.exchange) === false) return true
    if (request.content !== undefined) {
      if (request.content.length <= wanted.limitBytes) return true
      this.settled(contentTooLarge({ detail: `The body is longer than ${wanted.limitBytes} bytes.` }))
      return false
    }
    this.held = new HeldRoom(this.host.bodyRoom)
    readBody(request, wanted.limitBytes, this.held).then(
      (problem) =>
        this.guarded(() => {
          if (problem !== undefined) this.settled(problem)
          else if (this.enter(entry)) this.requestPhases()
        }),
      (cause: unknown) => this.fail(cause),
    )
    return false
  }

  /**
   * After the route's list come the policies of the caller's plan and of the caller itself, once. A preflight that no
   * policy answered goes the way of every request, or it would pass all policies by.
   */
  private enterNextSegment(): boolean {
    if (this.preflight) {
      this.preflight = false
      this.entered = undefined
      this.segment = this.route?.segment
    } else {
      if (this.principalDone) return false
      this.principalDone = true
      const consumer = this.exchange.principal?.consumer
      const api = this.exchange.route?.api
      this.segment = api === undefined ? undefined : this.runtime.principalSegment(consumer, api)
    }
    this.at = 0
    return this.segment !== undefined
  }

  private forward(): void {
    if (!this.wraps || this.entered === undefined) {
      this.callUpstream()
      return
    }
    const call = wrapUpstream(
      this.entered,
      this.exchange,
      () =>
        new Promise((settle) => {
          this.toWrapper = settle
          this.callUpstream()
        }),
    )
    call().then(
      (answer) => this.settled(answer),
      (cause: unknown) => this.fail(cause),
    )
  }

  private callUpstream(): void {
    const { route } = this
    if (route?.upstream === undefined) {
      this.refused(noUpstream())
      return
    }
    this.forwarding?.close()
    this.forwarding = new Forwarding(route.upstream, this.exchange, route, this)
    this.forwarding.start()
  }

  /** What came back goes to the policies that wrap the call, if there are any, or straight on. */
  private upstreamAnswered(answer: Reply | Problem, nowMs?: number): void {
    if (this.over) return
    const { toWrapper } = this
    this.toWrapper = undefined
    if (toWrapper !== undefined) {
      toWrapper(answer)
      return
    }
    try {
      this.settled(answer, nowMs)
    } catch (cause) {
      this.fail(cause)
    }
  }

  /** An answer is found, by a policy, the upstream, or before either: no route, nothing readable, no capacity. */
  settled(answer: Reply | Problem, nowMs?: number): void {
    if (this.over) return
    if (answer instanceof Problem) {
      this.exchange.problem = answer
      this.exchange.reply = toProblemReply(answer, this.exchange.id)
    } else {
      this.exchange.reply = answer
    }
    if (this.responds && this.entered !== undefined) this.responsePhases(this.entered.length - 1)
    else this.send(nowMs)
  }

  private responsePhases(from: number): void {
    const { entered, exchange } = this
    for (let i = from; i >= 0; i--) {
      const entry = entered?.[i]
      if (entry?.instance.response === undefined) continue
      const later = entry.instance.response(exchange)
      if (exchange.decisions !== undefined) noteDecision(exchange, entry, 'response', 'passed')
      if (later instanceof Promise) {
        later.then(
          () => this.guarded(() => this.responsePhases(i - 1)),
          (cause: unknown) => this.fail(cause),
        )
        return
      }
    }
    this.send()
  }

  private guarded(step: () => void): void {
    if (this.over) return
    try {
      step()
    } catch (cause) {
      this.fail(cause)
    }
  }

  private send(nowMs = performance.now()): void {
    const { exchange, carrier } = this
    const { reply } = exchange
    if (this.sent || this.over || reply === undefined) return
    this.sent = true
    this.status = reply.status
    if (exchange.problem?.definition.resetsConnection === true) carrier.reset()
    else {
      this.sendingMs = nowMs
      carrier.answer(reply.status, reply.fields, toOwnFields(exchange, reply, this.runtime.listener, nowMs), reply.body)
      this.sendingMs = 0
    }
  }

  /** Something threw: our fault, never the caller's, and never a way past a policy. */
  private fail(cause: unknown): void {
    this.sendingMs = 0
    this.host.faulted(this.exchange, cause)
    if (this.over) return
    const { reply } = this.exchange
    if (this.sent) {
      this.carrier.reset()
      return
    }
    if (isBodySource(reply?.body)) reply.body.cancel()
    this.exchange.problem = fault({ cause })
    this.exchange.reply = toProblemReply(this.exchange.problem, this.exchange.id)
    this.exchange.replyFromUpstream = false
    this.send()
  }

  /** The exchange is over, in whatever way: what was held is let go, and the record is written. */
  private end(status: number): void {
    this.over = true
    const endedMs = this.sendingMs === 0 ? performance.now() : this.sendingMs
    this.forwarding?.close()
    this.held?.release()
    const { entered, exchange } = this
    if (this.closes && entered !== undefined) {
      for (let i = entered.length - 1; i >= 0; i--) {
        try {
          entered[i]?.instance.close?.(exchange)
        } catch (cause) {
          this.host.faulted(exchange, cause)
        }
      }
    }
    this.host.finished(exchange, this.route, status, endedMs)
  }
}
