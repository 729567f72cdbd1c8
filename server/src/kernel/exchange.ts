/**
 * One request with its response and principal, from the first byte of the head to the record that it leaves.
 *
 * The listener creates it, the router gives it a route, policies read and change it, `respond` answers it. HTTP/1.1,
 * HTTP/2 and tests make the same exchange, so a policy never knows what carried the request.
 */
import type { Body, BodySource } from './body.ts'
import { Fields } from './fields.ts'
import type { Principal } from './principal.ts'
import type { Problem } from './problem.ts'
import type { RouteFacts } from './snapshot.ts'

/** The certificate that a client proved to own (mTLS), as far as policies need it. */
export interface ClientCertificate {
  readonly subject: string
  readonly issuer: string
  /** SHA-256 over the DER form, upper-case hex pairs with colons. */
  readonly fingerprint256: string
  readonly serialNumber: string
  readonly verified: boolean
}

/** What the connection knows about its client; one object for all requests of a connection. */
export interface Peer {
  /** Address of the client: the socket's, or what a trusted proxy says. */
  readonly ip: string
  readonly port: number
  readonly scheme: 'http' | 'https'
  readonly certificate: ClientCertificate | undefined
}

export interface ExchangeRequest {
  readonly method: string
  /** Path as it was matched and as it is sent on: normalised, starts with `/`, no query. */
  path: string
  /** What stands after `?`, without it; undefined without a `?`. */
  query: string | undefined
  /** Authority without the port, in lower case. */
  readonly host: string
  /** Authority as the client gave it, with the port. */
  readonly authority: string
  readonly version: '1.0' | '1.1' | '2'
  /** Without the fields that belong to the connection (hop-by-hop, RFC 9110 §7.6.1). */
  readonly fields: Fields
  readonly peer: Peer
  /** Present when the client asks to switch to WebSocket; the bodies then are the tunnel's two directions. */
  readonly upgrade: 'websocket' | undefined
  /** The client said `te: trailers` (gRPC does); the word itself is a connection's and is written anew. */
  readonly acceptsTrailers: boolean
  /** The body as it comes; undefined when the request has none. */
  body: BodySource | Uint8Array | undefined
  /** Monotonic milliseconds when the last byte of a streamed body was sent on; until then the upstream cannot be late. */
  bodyEndedMs: number
  /** The whole body with its content-encoding undone: only when a policy of the route declared `requestBody`. */
  content: Uint8Array | undefined
}

export interface Reply {
  status: number
  readonly fields: Fields
  body: Body
}

/** Makes a reply of our own with a body that is all here. */
export function createReply(
  status: number,
  fields: Readonly<Record<string, string>>,
  body?: string | Uint8Array,
): Reply {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return { status, fields: Fields.of(fields), body: bytes }
}

/** What the upstream side did, measured by it; filled in once per exchange. */
export interface UpstreamTrace {
  name: string
  target: string
  attempts: number
  /** Monotonic milliseconds when the first attempt began and when the final response's head was there. */
  startedMs: number
  headMs: number
  status: number
}

export class Exchange {
  readonly id: string
  readonly request: ExchangeRequest
  /** Wall-clock milliseconds since 1970 at the request's first byte. */
  readonly startedAtMs: number
  /** The same moment on the monotonic clock, in milliseconds. */
  readonly startedMs: number
  route: RouteFacts | undefined = undefined
  /** Values of the route's path parameters, percent-decoded, in the order of `route.parameterNames`. */
  parameters: readonly string[] = NO_PARAMETERS
  /** Path for the upstream, below its target's own, when a policy chose one; else `path` without the base path. */
  forwardPath: string | undefined = undefined
  principal: Principal | undefined = undefined
  /** The answer: the upstream's, a policy's or the text of `problem`. Response phases may change it. */
  reply: Reply | undefined = undefined
  problem: Problem | undefined = undefined
  /** True when `reply` came from the upstream and not from us. */
  replyFromUpstream = false
  /** Fields that policies add to whatever is answered in the end, e.g. RateLimit. */
  replyFields: Fields | undefined = undefined
  upstream: UpstreamTrace | undefined = undefined
  /** What the policies of the list decided; only collected when debugging was asked for. */
  decisions: PolicyDecision[] | undefined = undefined
  /** Bytes of the bodies as they crossed the client's connection. */
  requestBytes = 0
  responseBytes = 0
  /** True once the client is gone: nothing that is still done can reach anybody. */
  aborted = false
  private notes: Map<object, unknown> | undefined = undefined

  constructor(id: string, request: ExchangeRequest, startedAtMs: number, startedMs: number) {
    this.id = id
    this.request = request
    this.startedAtMs = startedAtMs
    this.startedMs = startedMs
  }

  /** Adds a field to whatever is answered in the end. */
  addReplyField(name: string, value: string): void {
    this.replyFields ??= new Fields()
    this.replyFields.append(name, value)
  }

  /** Keeps something for a later phase of the same policy instance; `owner` is any object of that instance. */
  remember(owner: object, value: unknown): void {
    this.notes ??= new Map()
    this.notes.set(owner, value)
  }

  recall(owner: object): unknown {
    return this.notes?.get(owner)
  }

  parameter(name: string): string | undefined {
    const at = this.route?.parameterNames.indexOf(name) ?? -1
    return at === -1 ? undefined : this.parameters[at]
  }
}

export interface PolicyDecision {
  /** Id of the entry in its list. */
  readonly policy: string
  readonly phase: 'request' | 'response'
  readonly decision: 'skipped' | 'passed' | 'answered'
  /** Of an answer: the code of the problem, or the status. */
  readonly detail?: string
}

const NO_PARAMETERS: readonly string[] = []
