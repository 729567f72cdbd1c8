/** Who is calling: produced by authentication, used by everything after it. */
import type { JsonValue } from './json.ts'

export interface Principal {
  /** What limits and logs count by: the consumer's name, or the issuer's subject when no consumer is known. */
  readonly id: string
  /** The consumer of the configuration that this caller is, if it is one. */
  readonly consumer: string | undefined
  /** Which credential was used (never the credential itself). */
  readonly credential: string
  /** The policy kind that vouches for it, e.g. `jwt`. */
  readonly by: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly claims: Readonly<Record<string, JsonValue>>
}
