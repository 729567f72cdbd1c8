import { refuse } from '../control-error.ts'
import type { Call } from '../define-route.ts'
import { findIssues, type RulesetIssue } from '../lint/spectral/parse-ruleset.ts'
import { rulesetRefused } from './document-problems.ts'
import { inReviewChild, MOST_CHARS_AT_ONCE } from './in-review-child.ts'

const MOST_ERRORS = 100

/** Refuses a ruleset that cannot be used; one that is absent is the built-in one. */
export async function checkRuleset(call: Pick<Call, 'control' | 'workspace'>, text: string | undefined): Promise<void> {
  const issues = text === undefined ? [] : await findWithinBounds(call, text)
  if (issues.length === 0) return
  const errors = issues
    .slice(0, MOST_ERRORS)
    .map(({ pointer, message: detail, remedy }) => ({ pointer, detail, remedy }))
  refuse(rulesetRefused({ detail: errors[0]?.detail ?? 'The ruleset is refused.', errors }))
}

async function findWithinBounds(
  call: Pick<Call, 'control' | 'workspace'>,
  text: string,
): Promise<readonly RulesetIssue[]> {
  if (text.length <= MOST_CHARS_AT_ONCE) return findIssues(text)
  const result = await inReviewChild(call, 'ruleset', { text })
  if (result.kind === 'done') return result.outcome
  return [{ pointer: '#', message: `the ruleset ${result.why}`, remedy: 'Divide it.' }]
}
