/** The one list of built-in rules. */
import type { LintRule } from './lint-rule.ts'
import { documentRules } from './rules-document.ts'
import { operationRules } from './rules-operations.ts'
import { schemaRules } from './rules-schemas.ts'

export const lintRules: readonly LintRule[] = [...documentRules, ...operationRules, ...schemaRules]
