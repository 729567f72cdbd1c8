import { compilePattern } from '../../kernel/linear-pattern.ts'
import type { StepBudget } from './step-budget.ts'

/** In place of a RegExp, as Ajv wants it: it tells patterns apart by their text. */
export interface BudgetedPattern {
  readonly test: (text: string) => boolean
  readonly toString: () => string
}

/** Compiles a pattern whose every use is paid from the budget; throws a PatternError. */
export function createBudgetedPattern(source: string, budget: StepBudget): BudgetedPattern {
  const { instructions, test } = compilePattern(source, 'ecma')
  return {
    test: (text) => {
      budget.spendOnText(text.length, instructions)
      return test(text)
    },
    toString: () => source,
  }
}
