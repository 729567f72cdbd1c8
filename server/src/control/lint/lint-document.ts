/** Holds a document against the rules of a ruleset, within bounds; what matters most comes first. */
import type { KeyPath } from '../../config/issues.ts'
import { visitParts } from '../../config/openapi/grammar.ts'
import { isTree } from '../../config/openapi/json-tree.ts'
import { toPointer } from '../../config/openapi/spec-files.ts'
import {
  defaultLintLimits,
  VisitsExhausted,
  type LintFinding,
  type LintLimits,
  type LintRule,
  type Severity,
} from './lint-rule.ts'
import { LintView } from './lint-view.ts'
import { lintRules } from './rules.ts'

export interface Ruleset {
  readonly rules: readonly LintRule[]
  /** Severities for parts of the document, the last one that fits counts. */
  readonly overrides: readonly Override[]
}

export interface Override {
  /** Beginning of the pointers that it is for, such as `#/paths/~1old`. */
  readonly pointer: string
  /** By rule; `off` for none. */
  readonly severities: ReadonlyMap<string, Severity | 'off'>
}

export const builtInRuleset: Ruleset = { rules: lintRules, overrides: [] }

const RANK = { error: 0, warning: 1, info: 2, hint: 3 }

export function lintDocument(
  document: unknown,
  ruleset: Ruleset = builtInRuleset,
  limits: Partial<LintLimits> = {},
): LintFinding[] {
  const run = new LintRun(ruleset, { ...defaultLintLimits, ...limits })
  run.lint(document)
  return run.findings()
}

class LintRun {
  private readonly ruleset: Ruleset
  private readonly limits: LintLimits
  private readonly found: LintFinding[] = []
  private readonly counts = new Map<string, number>()
  private visits = 0

  constructor(ruleset: Ruleset, limits: LintLimits) {
    this.ruleset = ruleset
    this.limits = limits
  }

  lint(document: unknown): void {
    const view = new LintView(document)
    const { rules } = this.ruleset
    for (const rule of rules) {
      this.within(rule.id, () => rule.whole?.(view, (path, message) => this.tell(rule, path, message)))
    }
    const listeners = rules.filter(({ parts }) => parts !== undefined)
    this.within('what looks at its parts', () =>
      visitParts(view.document, 'document', (value, kind, path) => {
        if (++this.visits > this.limits.visits) throw new VisitsExhausted()
        if (!isTree(value) || typeof value['$ref'] === 'string') return
        for (const rule of listeners) {
          rule.parts?.[kind]?.(value, path, (at, message) => this.tell(rule, at, message), view)
        }
      }),
    )
  }

  /** What was not looked at is as bad as what is wrong: else a document would pass by being too large. */
  private within(what: string, look: () => void): void {
    try {
      look()
    } catch (error) {
      if (!(error instanceof VisitsExhausted)) throw error
      this.found.push({
        rule: 'lint-incomplete',
        severity: 'error',
        pointer: '#',
        message: `the document is too large for ${what}`,
        remedy: 'Divide the document, or make the paths of the ruleset narrower.',
      })
    }
  }

  findings(): LintFinding[] {
    return this.found.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]).slice(0, this.limits.findings)
  }

  private tell({ id, severity: byDefault, remedy }: LintRule, path: KeyPath, message: string): void {
    const pointer = toPointer(path)
    const severity = this.severityOf(id, pointer, byDefault)
    // Of each severity: what an override makes grave must not be lost behind many that are not.
    const counted = `${severity} ${id}`
    const count = (this.counts.get(counted) ?? 0) + 1
    if (severity === 'off' || count > this.limits.perRule) return
    this.counts.set(counted, count)
    this.found.push({ rule: id, severity, pointer, message, remedy })
  }

  private severityOf(id: string, pointer: string, byDefault: Severity): Severity | 'off' {
    let severity: Severity | 'off' = byDefault
    for (const override of this.ruleset.overrides) {
      const isInside = pointer === override.pointer || pointer.startsWith(`${override.pointer}/`)
      if (isInside) severity = override.severities.get(id) ?? severity
    }
    return severity
  }
}
