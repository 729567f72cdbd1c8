/** Policies of a snapshot, set up once however many routes share them, and joined to the lists that routes run. */
import type { Consumers } from '../kernel/consumers.ts'
import { compileExpression } from '../kernel/expression.ts'
import type { PolicyDefinition } from '../kernel/policy.ts'
import type { PolicyServices } from '../kernel/policy-services.ts'
import type { ApiSpec, PolicySpec } from '../kernel/snapshot.ts'
import type { CompiledRoute, Entry } from './runtime.ts'

export interface PolicyEntriesOptions {
  findPolicy(kind: string): PolicyDefinition | undefined
  /** Services without what is given here: the id of the entry, consumers and nested policies. */
  readonly services: Omit<PolicyServices, 'policyId' | 'consumers' | 'nested' | 'expression'>
  /** The consumers of a workspace, as they are whenever a request asks. */
  consumersOf(workspace: string | undefined): Consumers
}

export type RouteSegments = Pick<CompiledRoute, 'segment' | 'preflight'>

/** Stands for the api of routes that have none. */
const NO_API = {}

export class PolicyEntries {
  private readonly options: PolicyEntriesOptions
  /** They live as long as the part of the snapshot that they stand in. */
  private readonly entries = new WeakMap<PolicySpec, Entry>()
  /** By api what its routes without policies of their own share, and the list for all routes that it begins with. */
  private readonly shared = new WeakMap<
    object,
    { readonly general: readonly PolicySpec[]; readonly segments: RouteSegments }
  >()

  constructor(options: PolicyEntriesOptions) {
    this.options = options
  }

  /** The list of a route: for all routes, of its api, its own. Throws when a policy does not compile. */
  toSegments(general: readonly PolicySpec[], api: ApiSpec | undefined, own: readonly PolicySpec[]): RouteSegments {
    if (own.length > 0) return this.join([...general, ...(api?.policies ?? []), ...own], api)
    const known = this.shared.get(api ?? NO_API)
    if (known?.general === general) return known.segments
    const segments = this.join([...general, ...(api?.policies ?? [])], api)
    this.shared.set(api ?? NO_API, { general, segments })
    return segments
  }

  /** An entry is set up once. */
  toEntry(spec: PolicySpec, workspace: string | undefined): Entry {
    const known = this.entries.get(spec)
    if (known !== undefined) return known
    const entry: Entry = {
      id: spec.id,
      kind: spec.kind,
      when: spec.when === undefined ? undefined : compileExpression(spec.when, 'bool'),
      instance: this.setup(spec.kind, spec.config, spec.id, workspace),
    }
    this.entries.set(spec, entry)
    return entry
  }

  private join(list: readonly PolicySpec[], api: ApiSpec | undefined): RouteSegments {
    const entries = list.map((policy) => this.toEntry(policy, api?.workspace))
    const preflight = entries.filter((entry) => this.options.findPolicy(entry.kind)?.answersPreflight === true)
    return { segment: { entries }, preflight: preflight.length === 0 ? undefined : { entries: preflight } }
  }

  private setup(kind: string, config: unknown, policyId: string, workspace: string | undefined): Entry['instance'] {
    const { options } = this
    const definition = options.findPolicy(kind)
    if (definition === undefined) throw new Error(`There is no policy of the kind "${kind}".`)
    return definition.setup(config, {
      ...options.services,
      policyId,
      consumers: options.consumersOf(workspace),
      expression: compileExpression,
      // The entry itself is checked and complete; what it nests has yet to get the defaults of its own schema.
      nested: (nestedKind, nestedConfig) =>
        this.setup(
          nestedKind,
          options.findPolicy(nestedKind)?.config.parse(nestedConfig),
          `${policyId}/${nestedKind}`,
          workspace,
        ),
    })
  }
}
