import { refuse } from '../control-error.ts'
import { parseRuleset } from '../lint/spectral/parse-ruleset.ts'
import { rulesetRefused } from './document-problems.ts'

/** Refuses a ruleset that cannot be used; one that is absent is the built-in one. */
export function checkRuleset(text: string | undefined): void {
  const parsed = text === undefined ? undefined : parseRuleset(text)
  if (parsed?.kind !== 'refused') return
  const errors = parsed.issues
    .slice(0, 100)
    .map(({ pointer, message: detail, remedy }) => ({ pointer, detail, remedy }))
  refuse(rulesetRefused({ detail: errors[0]?.detail ?? 'The ruleset is refused.', errors }))
}
