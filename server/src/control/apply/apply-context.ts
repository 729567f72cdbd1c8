/** What the steps of an apply share, and what they say was done. */
import type { DraftReview } from '../documents/review-draft.ts'
import type { Call, Write } from '../define-route.ts'
import type { DocumentChange } from './document-changes.ts'

export interface ApplyContext {
  readonly call: Pick<Call, 'control' | 'actor' | 'workspace'>
  readonly write: Write
  readonly environment: string
  /** Who manages what is applied; what it applied before and no longer names is removed. */
  readonly source: string
  readonly outcomes: Outcome[]
  /** What was said of each version before the transaction, by `toVersionKey`. */
  readonly reviews: ReadonlyMap<string, DraftReview>
}

export interface Outcome {
  readonly kind: string
  readonly name: string
  /** What is held back waits for something that is not in the document. */
  readonly action: 'created' | 'changed' | 'removed' | 'unchanged' | 'held-back'
  /** What it waits for, or why it is not quite as the document says. */
  readonly reason?: string
  readonly changes: readonly DocumentChange[]
}

/** The call as the operations of a noun want it: no version is expected, for the whole apply is one change. */
export function asCall({ call }: ApplyContext): Pick<Call, 'control' | 'actor' | 'workspace' | 'expectedVersion'> {
  const { control, actor, workspace } = call
  return { control, actor, workspace, expectedVersion: undefined }
}

export function tell(
  context: ApplyContext,
  kind: string,
  name: string,
  action: Outcome['action'],
  changes: readonly DocumentChange[] = [],
  reason?: string,
): void {
  context.outcomes.push({ kind, name, action, changes, ...(reason === undefined ? {} : { reason }) })
}
