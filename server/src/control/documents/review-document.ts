/** Looks at a document that is to be published: what the rules of the workspace say, and what changes for its callers. */
import { parseSource } from '../../config/source.ts'
import { compareDocuments } from '../compare/compare-documents.ts'
import type { Change } from '../compare/compare-context.ts'
import { builtInRuleset, lintDocument, type Ruleset } from '../lint/lint-document.ts'
import type { LintFinding } from '../lint/lint-rule.ts'
import { parseRuleset } from '../lint/spectral/parse-ruleset.ts'

export interface ReviewOrder {
  /** A document that was imported. */
  readonly text: string
  /** The one that was published before; undefined: there is nothing to compare with. */
  readonly before: string | undefined
  /** Text of a ruleset in Spectral's format; undefined: the built-in rules. */
  readonly ruleset: string | undefined
}

export interface DocumentReview {
  readonly lint: readonly LintFinding[]
  readonly changes: readonly Change[]
}

export function reviewDocument({ text, before, ruleset }: ReviewOrder): DocumentReview {
  const document = read(text)
  return {
    lint: lintDocument(document, ruleset === undefined ? builtInRuleset : readRuleset(ruleset)),
    changes: before === undefined ? [] : compareDocuments(read(before), document),
  }
}

function read(text: string): unknown {
  return parseSource('openapi', text, ({ message }) => {
    throw new Error(`a document that was imported cannot be read: ${message}`)
  })?.value
}

/** It was checked when it was set. */
function readRuleset(text: string): Ruleset {
  const parsed = parseRuleset(text)
  if (parsed.kind === 'ruleset') return parsed.ruleset
  throw new Error(`a ruleset that was kept cannot be read: ${parsed.issues[0]?.message}`)
}
