/**
 * What is said of a draft before it becomes a revision: findings of the rules, and changes against the revision before it.
 * It happens outside of the transaction that publishes, which therefore looks whether that revision is still the last one.
 */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import type { Change } from '../compare/compare-context.ts'
import { refuse } from '../control-error.ts'
import type { Call } from '../define-route.ts'
import type { LintFinding, Severity } from '../lint/lint-rule.ts'
import { contentOf, latestRevision, type Revision } from '../revisions/revision-store.ts'
import { hashBlob, readBlob } from '../versions/version-store.ts'
import { readWorkspaceSettings, type WorkspaceSettings } from '../workspaces/workspace-settings.ts'
import { breakingRefused, lintRefused } from './document-problems.ts'
import type { DocumentReview } from './review-document.ts'
import { reviewWithinBounds } from './review-within-bounds.ts'

export const allowBreaking = z
  .strictObject({ reason: z.string().min(1).max(1000) })
  .optional()
  .meta({ description: 'Publishes changes that break callers of the version, for a reason that the audit keeps.' })

export interface DraftReview {
  /** Shown with the revision. */
  readonly report: JsonObject
  /** Id of the revision that it was compared with; undefined when there was none. */
  readonly against: string | undefined
  /** Why breaking changes are published all the same. */
  readonly reason: string | undefined
}

export interface ReviewedDraft {
  /** Id of the version; undefined for one that is not there yet. */
  readonly versionId: string | undefined
  /** The document as it is kept; undefined when all routes are by hand. */
  readonly spec: string | undefined
  readonly routes: number
  readonly allowBreaking: z.output<typeof allowBreaking>
}

type Reviewing = Pick<Call, 'control' | 'db' | 'workspace'>

const MOST_FINDINGS = 200
const MOST_ERRORS = 50
const RANKS: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2, hint: 3 }

/** Refuses what the settings of the workspace do not let through. */
export async function reviewDraft(call: Reviewing, draft: ReviewedDraft): Promise<DraftReview> {
  const { db, workspace } = call
  const last = draft.versionId === undefined ? undefined : await latestRevision(db, draft.versionId)
  const facts = { against: last?.id, reason: draft.allowBreaking?.reason }
  if (draft.spec === undefined) return { ...facts, report: { routes: draft.routes } }
  const hashBefore = last === undefined ? undefined : contentOf(last).specHash
  if (last !== undefined && hashBefore === hashBlob(draft.spec))
    return { ...facts, report: toSameReport(last, draft.routes) }
  const settings = await readWorkspaceSettings(db, workspace)
  const before = hashBefore === undefined ? undefined : await readBlob(db, hashBefore)
  const { ruleset } = settings.lint
  const review = await reviewWithinBounds(call, { text: draft.spec, before, ruleset })
  judge(review, settings, draft.allowBreaking !== undefined)
  const report = { routes: draft.routes, lint: toLint(review.lint) }
  if (hashBefore === undefined) return { ...facts, report }
  return { ...facts, report: { ...report, changes: toChanges(review.changes, last?.number) } }
}

/** The document was reviewed when the revision before was published. */
function toSameReport(last: Revision, routes: number): JsonObject {
  const report: unknown = JSON.parse(last.report)
  const lint = isJsonObject(report) ? report['lint'] : undefined
  return { routes, ...(lint === undefined ? {} : { lint }), changes: toChanges([], last.number) }
}

function judge({ lint, changes }: DocumentReview, settings: WorkspaceSettings, mayBreak: boolean): void {
  const { refuseAt } = settings.lint
  const most = { off: -1, error: RANKS.error, warn: RANKS.warning }[refuseAt]
  const grave = lint.filter(({ severity }) => RANKS[severity] <= most)
  if (grave.length > 0) {
    const errors = grave.map(({ rule, pointer, message: detail, remedy }) => ({ pointer, rule, detail, remedy }))
    const detail = `${grave.length === 1 ? 'One finding is' : `${grave.length} findings are`} too grave to publish it.`
    refuse(lintRefused({ detail, errors: errors.slice(0, MOST_ERRORS) }))
  }
  const breaking = changes.filter(({ kind }) => kind === 'breaking')
  if (settings.breakingChanges === 'report' || mayBreak || breaking.length === 0) return
  const errors = breaking.map(({ rule, pointer, detail }) => ({ pointer, rule, detail }))
  const detail = `${breaking.length === 1 ? 'One change breaks' : `${breaking.length} changes break`} callers.`
  refuse(breakingRefused({ detail, errors: errors.slice(0, MOST_ERRORS) }))
}

function toLint(findings: readonly LintFinding[]): JsonObject {
  const count = (severity: Severity): number => findings.filter((each) => each.severity === severity).length
  return {
    errors: count('error'),
    warnings: count('warning'),
    infos: count('info'),
    hints: count('hint'),
    findings: findings.slice(0, MOST_FINDINGS).map((finding) => ({ ...finding })),
  }
}

function toChanges(changes: readonly Change[], against: number | undefined): JsonObject {
  const breaking = changes.filter(({ kind }) => kind === 'breaking').length
  const list = changes.slice(0, MOST_FINDINGS).map((change) => ({ ...change }))
  return { ...(against === undefined ? {} : { against }), breaking, safe: changes.length - breaking, list }
}

/** A report in a list: numbers only. */
export function toBriefReport(report: JsonObject): JsonObject {
  const { lint, changes, ...facts } = report
  const { findings: _findings, ...lintCounts } = isJsonObject(lint) ? lint : {}
  const { list: _list, ...changeCounts } = isJsonObject(changes) ? changes : {}
  return {
    ...facts,
    ...(lint === undefined ? {} : { lint: lintCounts }),
    ...(changes === undefined ? {} : { changes: changeCounts }),
  }
}
