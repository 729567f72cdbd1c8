/** How long an exchange waits for its upstream: sees both bodies move, and tells which of the timeouts is over. */
import { isBodySource, type Body, type BodySource } from '../../kernel/body.ts'
import type { ExchangeRequest } from '../../kernel/exchange.ts'
import type { TimeoutSpec } from '../../kernel/snapshot.ts'
import { WatchedBody } from './watched-body.ts'

export class Patience {
  private readonly timeouts: TimeoutSpec
  private readonly request: ExchangeRequest
  private readonly startedMs: number
  private up: WatchedBody | undefined
  private down: WatchedBody | undefined

  constructor(timeouts: TimeoutSpec, request: ExchangeRequest, startedMs: number) {
    this.timeouts = timeouts
    this.request = request
    this.startedMs = startedMs
  }

  /** The request's body for the next attempt; `passes` is asked for the names of trailers. */
  upload(nowMs: number, passes: ((name: string) => boolean) | undefined): Body {
    const { body } = this.request
    this.up = isBodySource(body) ? new WatchedBody(body, nowMs, passes) : undefined
    return this.up ?? body
  }

  /** The answer's body, once there is one; `broke` is told why it broke off. */
  download(
    body: BodySource,
    nowMs: number,
    passes: (name: string) => boolean,
    broke: (cause: Error) => void,
  ): BodySource {
    this.down = new WatchedBody(body, nowMs, passes, broke)
    return this.down
  }

  /** Whether the whole exchange has had its time. */
  isOver(nowMs: number): boolean {
    const { totalMs } = this.timeouts
    return totalMs > 0 && nowMs - this.startedMs > totalMs
  }

  /** Why nobody waits any longer; undefined while there is no reason. */
  overdue(nowMs: number, attemptStartedMs: number): string | undefined {
    const { firstByteMs, idleMs } = this.timeouts
    const { up, down } = this
    if (this.isOver(nowMs)) return 'The whole exchange took too long.'
    if (idleMs > 0 && up !== undefined && up.blockedMs(nowMs) > idleMs)
      return 'The target takes no more of the request.'
    if (down === undefined) {
      const waitedMs = nowMs - Math.max(attemptStartedMs, this.request.bodyEndedMs)
      return firstByteMs > 0 && waitedMs > firstByteMs ? 'The target did not begin to answer in time.' : undefined
    }
    // Where both sides talk at once, as in a gRPC stream, a word from either breaks the silence.
    const quietMs = Math.min(down.idleMs(nowMs), up === undefined ? Infinity : up.quietMs(nowMs))
    return idleMs > 0 && quietMs > idleMs ? 'The answer of the target stands still.' : undefined
  }
}
