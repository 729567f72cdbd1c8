/**
 * Reads a whole connection with the gateway's parser and decoder as its connections do, and keeps what was read: for
 * the conformance run and the fuzzer, which compare it with llhttp.
 */
import type { Fields } from '../../src/kernel/fields.ts'
import { Problem } from '../../src/kernel/problem.ts'
import { ChunkedDecoder } from '../../src/gateway/http1/chunked.ts'
import {
  CHUNKED,
  UNTIL_CLOSE,
  findHeadEnd,
  isHopelessHead,
  parseRequestHead,
  parseResponseHead,
  type HeadLimits,
  type RequestHead,
  type ResponseHead,
} from '../../src/gateway/http1/parse.ts'
import { bareLineBreak } from '../../src/gateway/http1/flaws.ts'
import { LastSection } from '../../src/gateway/http1/last-section.ts'

export interface ReadMessage {
  readonly head: RequestHead | ResponseHead
  readonly fields: readonly (readonly [string, string])[]
  body: string
  trailers: readonly (readonly [string, string])[]
  complete: boolean
}

/** What a connection does after the bytes so far: waits, has refused, will read no more, or is a tunnel. */
export type ReaderState = 'open' | 'refused' | 'closed' | 'tunnel'

export interface ReaderOptions {
  readonly side: 'request' | 'response'
  /** What the response answers. */
  readonly requestMethod?: string
  readonly limits?: HeadLimits
}

const defaultLimits: HeadLimits = { maxHeadBytes: 65_536, maxFields: 200, maxTargetBytes: 16_384 }

export class MessageReader {
  readonly messages: ReadMessage[] = []
  state: ReaderState = 'open'
  problem: Problem | undefined = undefined
  private readonly options: ReaderOptions
  private readonly limits: HeadLimits
  private readonly last = new LastSection()
  private pending: Buffer = Buffer.alloc(0)
  private current: ReadMessage | undefined = undefined
  private remaining = 0
  private decoder: ChunkedDecoder | undefined = undefined

  constructor(options: ReaderOptions) {
    this.options = options
    this.limits = options.limits ?? defaultLimits
  }

  push(bytes: Buffer): void {
    const all = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes])
    let at = 0
    while (at < all.length && this.state === 'open') {
      const next = this.current === undefined ? this.readHead(all, at) : this.readBody(this.current, all, at)
      if (next === at) break
      at = next
    }
    this.pending = all.subarray(at)
  }

  /** Whether a head has begun and is not whole. */
  get isInHead(): boolean {
    return this.state === 'open' && this.current === undefined && this.pending.length > 0
  }

  private readHead(bytes: Buffer, start: number): number {
    let at = start
    if (this.options.side === 'request' && bytes[at] === 13 && bytes[at + 1] === 10) at += 2
    const known = this.last.findHeadEnd(bytes, at, bytes.length)
    const end = known === -1 ? findHeadEnd(bytes, at, at, bytes.length) : known
    if (end === -1) {
      if (isHopelessHead(bytes, at, at, bytes.length)) this.refuse(bareLineBreak.inRequest)
      return start
    }
    const head =
      this.options.side === 'request'
        ? parseRequestHead(bytes, at, end, this.limits, this.last)
        : parseResponseHead(bytes, at, end, this.limits, this.options.requestMethod ?? 'GET', false, this.last)
    if (head instanceof Problem) this.refuse(head)
    else this.begin(head)
    return end
  }

  private begin(head: RequestHead | ResponseHead): void {
    const message = { head, fields: toPairs(head.fields), body: '', trailers: [], complete: false }
    this.messages.push(message)
    this.remaining = head.bodyBytes === UNTIL_CLOSE ? Number.POSITIVE_INFINITY : Math.max(0, head.bodyBytes)
    if (head.bodyBytes === CHUNKED) {
      this.decoder = new ChunkedDecoder(
        { maxTrailerBytes: 4096, maxFields: 50, maxExtensionBytes: 1024 },
        (bytes, start, end) => (message.body += bytes.toString('latin1', start, end)),
      )
    }
    if (head.bodyBytes === 0) this.finish(message)
    else this.current = message
  }

  private readBody(message: ReadMessage, bytes: Buffer, start: number): number {
    const { decoder } = this
    if (decoder === undefined) {
      const end = Math.min(bytes.length, start + this.remaining)
      message.body += bytes.toString('latin1', start, end)
      this.remaining -= end - start
      if (this.remaining === 0) this.finish(message)
      return end
    }
    const end = decoder.push(bytes, start, bytes.length)
    const problem = this.options.side === 'request' ? decoder.problem : decoder.responseProblem
    if (problem !== undefined) this.refuse(problem)
    else if (decoder.done) {
      message.trailers = toPairs(decoder.trailers)
      this.decoder = undefined
      this.finish(message)
    }
    return end
  }

  private finish(message: ReadMessage): void {
    message.complete = true
    this.current = undefined
    if (message.head.upgrade !== undefined && message.head.upgrade !== false) this.state = 'tunnel'
    else if (!message.head.keepAlive) this.state = 'closed'
  }

  private refuse(problem: Problem): void {
    this.problem = problem
    this.state = 'refused'
  }
}

function toPairs(fields: Fields | undefined): (readonly [string, string])[] {
  return fields === undefined ? [] : fields.names.map((name, i) => [name, fields.values[i] ?? ''] as const)
}
