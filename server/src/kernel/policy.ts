/**
 * The contract of a policy: one definition with its schema, its problems and `setup`, which compiles a configuration
 * into the phases that it takes part in. What a policy is × when it applies: the `when` stands outside, in the list.
 */
import type { z } from 'zod'
import type { Exchange, Reply } from './exchange.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { PolicyServices } from './policy-services.ts'
import type { Problem, ProblemFactory } from './problem.ts'
import type { RouteFacts } from './snapshot.ts'

export type Answer = Reply | Problem | undefined

/** Whether fields of a name, in lower case, are a policy's to write or to take away, on the way there or back. */
export interface FieldClaims {
  request?(name: string): boolean
  response?(name: string): boolean
}

/** The phases that a configured policy takes part in. An absent phase is not called and costs nothing. */
export interface PolicyInstance {
  /**
   * Set when `request` needs the whole body: it is read first, its content-encoding undone, both within the limit
   * (413, 415 otherwise), and stands in `exchange.request.content`. The original bytes are forwarded.
   */
  readonly requestBody?: {
    readonly limitBytes: number
    /** False for an exchange whose body the policy leaves alone, so that it streams. Asked before `request`. */
    wants?(exchange: Exchange): boolean
  }
  /** No trailer may bring in again what the policy writes or takes away in a head. */
  readonly claims?: FieldClaims
  /**
   * Of a policy that authenticates: takes the credential away that it would look at, valid or not, unless it is
   * configured to keep it. Called when another policy has let the caller in.
   */
  dropCredential?(exchange: Exchange): void
  /** Before the upstream; an answer ends the request phases. Synchronous unless it really has to wait. */
  request?(exchange: Exchange): Answer | Promise<Answer>
  /** Wraps the call of the upstream, the first policy outermost. */
  upstream?(exchange: Exchange, next: () => Promise<Reply | Problem>): Promise<Reply | Problem>
  /** In reverse order, before the head of the answer is written, also when the answer is our own problem. */
  response?(exchange: Exchange): void | Promise<void>
  /** In reverse order, after the exchange has ended in whatever way; must not throw. */
  close?(exchange: Exchange): void
}

export interface PolicyExample<Config> {
  readonly title: string
  readonly config: Config
}

export interface PolicyDefinition<Schema extends z.ZodType = z.ZodType> {
  readonly kind: string
  readonly title: string
  readonly summary: string
  readonly stability: 'stable' | 'preview'
  /** A `z.strictObject`; the one source of validation, types, JSON Schema, docs and forms. */
  readonly config: Schema
  readonly examples: readonly PolicyExample<z.input<Schema>>[]
  readonly problems: readonly ProblemFactory[]
  /** What must have been established by a policy before it in the list, e.g. `principal`. */
  readonly needs?: readonly Capability[]
  readonly gives?: readonly Capability[]
  /**
   * Its request phase runs before all others when the request is a CORS preflight, because a preflight carries no
   * credentials that the policies before it could ask for (Fetch standard, CORS-preflight fetch).
   */
  readonly answersPreflight?: true
  /** More about `needs` and `gives` when they depend on the configuration; replaces the two lists above. */
  capabilities?(config: z.output<Schema>): { needs: readonly Capability[]; gives: readonly Capability[] }
  /** Works on `route.operation`: without a route that has one, an entry would have no effect. */
  readonly usesOperation?: boolean
  /** Looks up the keys of consumers: without a policy that does, keys would have no effect. */
  readonly usesKeys?: boolean
  /**
   * Where callers present the credential that it looks at: callers are told apart by it before any policy has run.
   * `nested` gives the places of an entry nested in the configuration.
   */
  credentialPlaces?(
    config: z.output<Schema>,
    nested: (kind: string, config: unknown) => readonly CredentialPlace[],
  ): readonly CredentialPlace[]
  /**
   * The configuration with which the policy serves a version in a state of its life, undefined where it has no part in it.
   * One that answers always stands at the end of each route's list, any other before those of the API.
   */
  lifecycle?(lifecycle: Lifecycle): z.input<Schema> | undefined
  /**
   * The configuration with which the policy tells caches that a field of the request chose the answer (`Vary`, RFC 9110
   * §12.5.5).
   */
  variesBy?(field: string): z.input<Schema>
  /** Answers whatever reaches it: its route needs no upstream, and an entry after it would have no effect. */
  readonly answersAlways?: boolean
  /**
   * Refuses a configuration that is well-formed but cannot work or has no effect; one sentence each, with the path of
   * the key inside `config`. Runs where files are checked, never on a serving thread.
   */
  check?(config: z.output<Schema>, check: PolicyCheck): void
  /** Compiles the configuration; once per entry of a list and snapshot. What it throws refuses the snapshot. */
  setup(config: z.output<Schema>, services: PolicyServices): PolicyInstance
}

/** A field of the head, its name in lower case, or a parameter of the query. */
export interface CredentialPlace {
  readonly in: 'field' | 'query'
  readonly name: string
}

export type Capability = 'principal'

export interface PolicyCheck {
  report(path: readonly (string | number)[], message: string): void
  /** Checks an entry nested in this policy's configuration (such as one of `any-of`) as if it stood in a list. */
  nested(path: readonly (string | number)[], kind: string, config: unknown): PolicyDefinition | undefined
  /** Compiles a CEL expression and reports what is wrong with it at `path`. */
  expression(path: readonly (string | number)[], source: string, type: 'bool' | 'string' | 'int'): void
  /** The routes that the entry applies to. */
  readonly routes: readonly RouteFacts[]
}

/** Declares a policy; keeps the schema's type for `setup` while the registry sees the plain definition. */
export function definePolicy<Schema extends z.ZodType>(definition: PolicyDefinition<Schema>): PolicyDefinition<Schema> {
  return definition
}
