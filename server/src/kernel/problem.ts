/**
 * Every answer that Headgate itself gives instead of an upstream: RFC 9457 problem details with a stable code.
 *
 * A problem on the hot path is returned, not thrown, and carries no stack: attackers choose that path, so it stays
 * cheap. Status, title and blame stand beside the code, in the definition and nowhere else.
 */

/** Whose fault it was: decides who is alerted and whose error rate it counts in. */
export type Blame = 'caller' | 'operator' | 'upstream' | 'gateway'

export interface ProblemDefinition {
  /** `area.what_happened`, stable for ever. */
  readonly code: string
  readonly status: number
  readonly title: string
  readonly blame: Blame
  /** What the caller or operator does about it: the text of the code's documentation page. */
  readonly remedy: string
  /** Error type of RFC 9209 §2.3 for `Proxy-Status`; by default http_request_denied for the caller's faults. */
  readonly proxyError?: string
  /** Nothing is answered: the connection (HTTP/2: the stream) is reset, and the record alone has status and code. */
  readonly resetsConnection?: boolean
  /**
   * How far authentication came: nothing was presented, what was presented is unknown here, or it is known and refused.
   * Where one of several ways suffices, the caller is told of the one that came furthest.
   */
  readonly credential?: 'absent' | 'unknown' | 'refused'
}

export interface ProblemError {
  readonly pointer: string
  readonly detail: string
  /** Where rules are documented: the id of the one that is broken. */
  readonly rule?: string
  /** What mends this place. */
  readonly remedy?: string
}

export interface ProblemOptions {
  /** One sentence about this occurrence, safe for the caller to read. */
  readonly detail?: string
  /** Further response fields; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** Where exactly the input is wrong: JSON pointers (RFC 6901) and what is wrong there. */
  readonly errors?: readonly ProblemError[]
  /** Only logged, never sent. */
  readonly cause?: unknown
}

export class Problem {
  readonly definition: ProblemDefinition
  readonly detail: string | undefined
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly errors: ProblemOptions['errors']
  readonly cause: unknown

  constructor(definition: ProblemDefinition, options: ProblemOptions | undefined) {
    this.definition = definition
    this.detail = options?.detail
    this.headers = options?.headers
    this.errors = options?.errors
    this.cause = options?.cause
  }
}

export interface ProblemFactory {
  (options?: ProblemOptions): Problem
  readonly definition: ProblemDefinition
}

/** Declares a problem once; the returned function makes occurrences of it. */
export function defineProblem(definition: ProblemDefinition): ProblemFactory {
  const create = (options?: ProblemOptions): Problem => new Problem(definition, options)
  return Object.assign(create, { definition })
}

/**
 * The JSON text of a problem (RFC 9457 §3) with the request's id as `instance`. The admin API adds the remedy, since
 * whoever calls it can mend things; callers of the gateway get no more than they need.
 */
export function toProblemJson(problem: Problem, requestId: string, remedy?: string): string {
  const { code, status, title } = problem.definition
  return JSON.stringify({
    type: `urn:headgate:problem:${code}`,
    title,
    status,
    code,
    detail: problem.detail,
    instance: `urn:headgate:request:${requestId}`,
    errors: problem.errors,
    remedy,
  })
}

/** The `Proxy-Status` value (RFC 9209 §2) that marks an answer as ours. */
export function toProxyStatus(definition: ProblemDefinition): string {
  const error =
    definition.proxyError ?? (definition.blame === 'caller' ? 'http_request_denied' : 'proxy_internal_error')
  return `headgate; error=${error}; details="${definition.code}"`
}
