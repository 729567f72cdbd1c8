/** What the parser gives: the head of a request or of a response, without what belongs to the connection alone. */
import type { Fields } from '../../kernel/fields.ts'

export interface HeadLimits {
  /** Length of the whole head, with the empty line that ends it. */
  readonly maxHeadBytes: number
  readonly maxFields: number
  readonly maxTargetBytes: number
}

/** Values of `bodyBytes` besides a length. */
export const CHUNKED = -1
export const UNTIL_CLOSE = -2

export class RequestHead {
  method = ''
  /** As the client gave it, before `?`; `*` only for OPTIONS. Not normalised yet. */
  path = ''
  query: string | undefined = undefined
  /** From the absolute-form or from Host, as given; empty when an HTTP/1.0 client sent neither. */
  authority = ''
  /** Lower case, no port, no dot at the end. */
  host = ''
  version: '1.0' | '1.1' = '1.1'
  /** End to end only: without Host, Content-Length and everything hop-by-hop. */
  readonly fields: Fields
  /** 0, a length, or CHUNKED. */
  bodyBytes = 0
  keepAlive = true
  expectContinue = false
  upgrade: 'websocket' | undefined = undefined
  acceptsTrailers = false
  absoluteScheme: 'http' | 'https' | undefined = undefined

  constructor(fields: Fields) {
    this.fields = fields
  }
}

export class ResponseHead {
  status = 0
  version: '1.0' | '1.1' = '1.1'
  /**
   * End to end only. Content-Length stays in it where it is a statement and no framing: in an answer to HEAD and in
   * a 304 (RFC 9110 §8.6).
   */
  readonly fields: Fields
  /** 0, a length, CHUNKED or UNTIL_CLOSE. */
  bodyBytes = 0
  keepAlive = true
  /** A 101 to WebSocket, which was asked for: what follows is a tunnel. */
  upgrade = false

  constructor(fields: Fields) {
    this.fields = fields
  }
}
