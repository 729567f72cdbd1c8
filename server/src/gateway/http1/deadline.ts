/** How long a client's connection may take for what it is doing; checked by one ticker for all connections. */
import { performance } from 'node:perf_hooks'
import { BodyProblem } from '../../kernel/body-problem.ts'
import type { ListenerLimits } from '../../kernel/snapshot.ts'
import { requestTimeout } from './problems.ts'

export type Verdict = 'fine' | 'idle' | 'slow-head' | 'slow-body' | 'stalled'

/** A request's body as far as its speed is judged. */
export interface TimedBody {
  /** Somebody takes its bytes now. */
  readonly wanted: boolean
  readonly cancelled: boolean
  readonly receivedBytes: number
}

type Phase = 'idle' | 'head' | 'exchange' | 'tunnel' | 'linger'

/** The rate of a body is judged only after this time, so that a slow start does no harm. */
const RATE_GRACE_MS = 5_000

export class Deadline {
  private readonly limits: ListenerLimits
  private phase: Phase = 'idle'
  private untilMs: number
  private stalledSinceMs = 0
  /** Time in which the body could have arrived: while nobody takes it, the client is not slow. */
  private wantedMs = 0
  private checkedMs = 0

  constructor(limits: ListenerLimits) {
    this.limits = limits
    this.untilMs = performance.now() + limits.headMs
  }

  /** Counts from the next check on: asking the clock for each request would cost more than the quarter second matters. */
  idle(): void {
    this.phase = 'idle'
    this.untilMs = 0
  }

  headBegan(): void {
    if (this.phase === 'head') return
    this.phase = 'head'
    this.untilMs = performance.now() + this.limits.headMs
  }

  requestBegan(nowMs: number, hasBody: boolean): void {
    this.phase = 'exchange'
    this.untilMs = hasBody && this.limits.requestMs > 0 ? nowMs + this.limits.requestMs : Number.POSITIVE_INFINITY
    this.wantedMs = 0
    this.checkedMs = nowMs
  }

  /** Bytes may go both ways for as long as they like; dead peers are found by TCP keep-alive. */
  tunnel(): void {
    this.phase = 'tunnel'
  }

  linger(untilMs: number): void {
    this.phase = 'linger'
    this.untilMs = untilMs
  }

  /** The socket's buffer is full (true) or has room again. */
  writing(waits: boolean): void {
    this.stalledSinceMs = waits ? performance.now() : 0
  }

  check(nowMs: number, body: TimedBody | undefined): Verdict {
    if (this.stalledSinceMs > 0 && nowMs - this.stalledSinceMs > this.limits.idleMs) return 'stalled'
    switch (this.phase) {
      case 'idle':
        if (this.untilMs === 0) this.untilMs = nowMs + this.limits.idleMs
        return nowMs > this.untilMs ? 'idle' : 'fine'
      case 'head':
        return nowMs > this.untilMs ? 'slow-head' : 'fine'
      case 'linger':
        return nowMs > this.untilMs ? 'stalled' : 'fine'
      case 'tunnel':
        return 'fine'
      case 'exchange':
        return body === undefined ? 'fine' : this.checkBody(nowMs, body)
    }
  }

  slowBody(): BodyProblem {
    return new BodyProblem(requestTimeout({ detail: 'The body arrived too slowly.' }))
  }

  private checkBody(nowMs: number, body: TimedBody): Verdict {
    if (body.wanted) this.wantedMs += nowMs - this.checkedMs
    this.checkedMs = nowMs
    if (this.wantedMs === 0 || body.cancelled) return 'fine'
    if (nowMs > this.untilMs) return 'slow-body'
    const tooSlow = body.receivedBytes < (this.wantedMs / 1000) * this.limits.minBodyBytesPerSecond
    return this.wantedMs > RATE_GRACE_MS && tooSlow ? 'slow-body' : 'fine'
  }
}
