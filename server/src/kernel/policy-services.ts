/** What a policy may use of the process around it; given to `setup`, so that tests give it doubles of the edge. */
import type { Callers } from './caller-counts.ts'
import type { Clock } from './clock.ts'
import type { Counters } from './counters.ts'
import type { Consumers } from './consumers.ts'
import type { Exchange } from './exchange.ts'
import type { PolicyInstance } from './policy.ts'
import type { Quotas } from './quotas.ts'

export interface PolicyServices {
  /** Names this entry for counters and logs; the same across reloads as long as the entry keeps its place or id. */
  readonly policyId: string
  readonly clock: Clock
  readonly counters: Counters
  readonly quotas: Quotas
  readonly callers: Callers
  readonly consumers: Consumers
  readonly log: PolicyLog
  /** A number from 0 to below 1, evenly spread; for shares of traffic, never for secrets. */
  random(): number
  /** Fetches a document of an outside service, e.g. a JWKS: bounded in bytes and time, redirects refused; rejects then. */
  fetchDocument(
    url: string,
    limits: { readonly maxBytes: number; readonly timeoutMs: number },
  ): Promise<FetchedDocument>
  /** Compiles a CEL expression over the exchange; throws on a source that `check` would have reported. */
  expression(source: string, type: 'bool'): (exchange: Exchange) => boolean
  expression(source: string, type: 'string'): (exchange: Exchange) => string
  expression(source: string, type: 'int'): (exchange: Exchange) => number
  /** Compiles an entry nested in this one's configuration. */
  nested(kind: string, config: unknown): PolicyInstance
}

export interface FetchedDocument {
  readonly status: number
  readonly text: string
  /** How long the answer may be kept (Cache-Control, RFC 9111), undefined when it does not say. */
  readonly maxAgeSeconds: number | undefined
}

/** Events of a policy, not of requests: a key set that could not be fetched, a table that is full. */
export interface PolicyLog {
  warn(facts: Readonly<Record<string, unknown>>, message: string): void
}
