/** Refuses policies that cannot work or would have no effect where they stand, and compiles their expressions once. */
import { compileExpression, ExpressionError, type ExpressionType } from '../kernel/expression.ts'
import type { Capability, PolicyCheck, PolicyDefinition } from '../kernel/policy.ts'
import type { RouteFacts } from '../kernel/snapshot.ts'
import type { Findings } from './findings.ts'
import type { KeyPath } from './issues.ts'
import { suggest } from './nearest.ts'
import { parseValue } from './parse-value.ts'
import type { PolicyRegistry } from './policy-configs.ts'
import type { Entry } from './policy-lists.ts'
import { withoutStop } from './sentence.ts'

/** What the policies before an entry have established. */
export interface Standing {
  readonly given: ReadonlySet<Capability>
  /** The entry that answers everything, so that nothing after it is reached. */
  readonly answered: Entry | undefined
}

export const nothingYet: Standing = { given: new Set(), answered: undefined }

export class PolicyChecker {
  /** Kinds in use, nested ones included. */
  readonly used = new Set<PolicyDefinition>()
  private readonly registry: PolicyRegistry
  private readonly findings: Findings

  constructor(registry: PolicyRegistry, findings: Findings) {
    this.registry = registry
    this.findings = findings
  }

  /** Checks a list that stands behind `before`, and says what stands after it. */
  checkList(entries: readonly Entry[], before: Standing, routes: readonly RouteFacts[]): Standing {
    const given = new Set(before.given)
    let { answered } = before
    for (const entry of entries) {
      if (answered !== undefined) this.reportUnreached(entry, answered)
      this.checkEntry(entry, routes)
      const { needs, gives } = capabilitiesOf(entry)
      for (const need of needs) if (!given.has(need)) this.reportNeed(entry, need)
      for (const each of gives) given.add(each)
      if (entry.definition.answersAlways === true && entry.spec.when === undefined) answered ??= entry
    }
    return { given, answered }
  }

  /** As `checkList`, for a list of a plan or consumer: who calls is known there, but not for which operation. */
  checkPrincipalList(entries: readonly Entry[], where: string, routes: readonly RouteFacts[]): void {
    const hint = 'Put it into the list of an API or a route.'
    for (const { spec, definition, path } of entries) {
      if (definition.usesOperation !== true) continue
      this.findings.report(path, `${spec.kind} works on the operation of a route, which ${where} does not have`, {
        hint,
      })
    }
    const others = entries.filter(({ definition }) => definition.usesOperation !== true)
    this.checkList(others, { given: new Set(['principal']), answered: undefined }, routes)
  }

  /** Compiles an expression of the document itself. */
  checkExpression(path: KeyPath, source: string, type: ExpressionType): void {
    const fault = expressionFault(source, type)
    if (fault === undefined) return
    // What is wrong names parts of the source, which may be secret when it comes from outside the file.
    const isShown = !this.findings.isSubstituted(path)
    this.findings.report(
      path,
      isShown
        ? `${WRONG_EXPRESSION}: ${fault}`
        : `${WRONG_EXPRESSION}; it comes from outside the file, so no more is said`,
    )
  }

  /** Kinds that could be meant, for a hint. */
  kindsWhere(fits: (definition: PolicyDefinition) => boolean): string {
    const kinds = [...this.registry.values()].filter(fits).map(({ kind }) => `\`${kind}\``)
    return kinds.join(', ')
  }

  private checkEntry(entry: Entry, routes: readonly RouteFacts[]): void {
    const { spec, definition, config, path } = entry
    if (spec.when !== undefined) this.checkExpression([...path, 'when'], spec.when, 'bool')
    if (definition.usesOperation === true && !routes.some((route) => route.operation !== undefined)) {
      const hint = 'Give the API an OpenAPI document with `spec`, or remove the policy.'
      this.findings.report(path, `${spec.kind} has no effect: no route here has an OpenAPI operation`, { hint })
    }
    this.used.add(definition)
    definition.check?.(config, this.toPolicyCheck([...path, 'config'], routes))
  }

  private toPolicyCheck(at: KeyPath, routes: readonly RouteFacts[]): PolicyCheck {
    return {
      routes,
      report: (path, message) => this.findings.report([...at, ...path], withoutStop(message)),
      expression: (path, source, type) => this.checkExpression([...at, ...path], source, type),
      nested: (path, kind, config) => this.checkNested([...at, ...path], kind, config, routes),
    }
  }

  private checkNested(
    path: KeyPath,
    kind: string,
    config: unknown,
    routes: readonly RouteFacts[],
  ): PolicyDefinition | undefined {
    const definition = this.registry.get(kind)
    if (definition === undefined) {
      const hint = suggest(kind, [...this.registry.keys()])
      this.findings.report(path, `there is no policy of kind ${JSON.stringify(kind)}`, { hint })
      return undefined
    }
    this.used.add(definition)
    const configPath = [...path, 'config']
    const parsed = parseValue(definition.config, config ?? {}, configPath, this.findings)
    if (parsed !== undefined) definition.check?.(parsed, this.toPolicyCheck(configPath, routes))
    return definition
  }

  private reportNeed(entry: Entry, need: Capability): void {
    const givers = this.kindsWhere((each) => each.gives?.includes(need) === true)
    const hint = `Put one that does before it, in this list or an outer one: ${givers}.`
    this.findings.report(entry.path, `${entry.spec.kind} needs a ${need}, which no policy before it gives`, { hint })
  }

  private reportUnreached(entry: Entry, answered: Entry): void {
    const message = `${entry.spec.kind} is never reached: ${answered.spec.kind} before it answers every request`
    const hint = 'Remove it, put it before, or give the other one a `when`.'
    this.findings.report(entry.path, message, { otherPath: answered.path, hint })
  }
}

function capabilitiesOf({ definition, config }: Entry): {
  needs: readonly Capability[]
  gives: readonly Capability[]
} {
  return definition.capabilities?.(config) ?? { needs: definition.needs ?? [], gives: definition.gives ?? [] }
}

function expressionFault(source: string, type: ExpressionType): string | undefined {
  try {
    // The overloads are for callers that run the result; here only its faults count.
    if (type === 'bool') compileExpression(source, type)
    else if (type === 'string') compileExpression(source, type)
    else compileExpression(source, type)
    return undefined
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    return withoutStop(error.message)
  }
}

const WRONG_EXPRESSION = 'the expression is wrong'
