/** A rule of style or correctness for OpenAPI documents: what it asks, how much it matters, and how it looks. */
import type { KeyPath } from '../../config/issues.ts'
import type { Kind } from '../../config/openapi/grammar.ts'
import type { Tree } from '../../config/openapi/json-tree.ts'
import type { LintView } from './lint-view.ts'

export type Severity = 'error' | 'warning' | 'info' | 'hint'

/** Tells of one place that breaks the rule. `path` is kept, so a list that changes has to be copied. */
export type Tell = (path: KeyPath, message: string) => void

export interface LintRule {
  readonly id: string
  readonly severity: Severity
  /** What the rule asks for. */
  readonly title: string
  readonly remedy: string
  /** Looks at every part of these kinds, in one walk for all rules. References are not parts. */
  readonly parts?: Partial<Readonly<Record<Kind, (value: Tree, path: KeyPath, tell: Tell, view: LintView) => void>>>
  /** Looks at the document as a whole. */
  readonly whole?: (view: LintView, tell: Tell) => void
}

export interface LintFinding {
  readonly rule: string
  readonly severity: Severity
  readonly pointer: string
  readonly message: string
  readonly remedy: string
}

export interface LintLimits {
  /** Findings of one rule. */
  readonly perRule: number
  /** Findings of all rules. */
  readonly findings: number
  /** Parts of the document that are looked at, and places that paths of a ruleset match. */
  readonly visits: number
}

export const defaultLintLimits: LintLimits = { perRule: 200, findings: 2000, visits: 20_000_000 }

/** Thrown by a rule to end a look that has used up its visits. */
export class VisitsExhausted extends Error {
  override readonly name = 'VisitsExhausted'
}

export function defineLintRule(rule: LintRule): LintRule {
  return rule
}
