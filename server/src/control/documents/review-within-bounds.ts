/** Reviews large documents, and all that patterns of a workspace's own ruleset look at, in a process with bounds. */
import type { Call } from '../define-route.ts'
import { inReviewChild, MOST_CHARS_AT_ONCE } from './in-review-child.ts'
import { reviewDocument, type DocumentReview, type ReviewOrder } from './review-document.ts'

export async function reviewWithinBounds(
  call: Pick<Call, 'control' | 'workspace'>,
  order: ReviewOrder,
): Promise<DocumentReview> {
  const chars = order.text.length + (order.before?.length ?? 0)
  if (order.ruleset === undefined && chars <= MOST_CHARS_AT_ONCE) return reviewDocument(order)
  const result = await inReviewChild(call, 'review', order)
  return result.kind === 'done' ? result.outcome : toIncomplete(result.why)
}

/** What could not be looked at is as bad as what is wrong: else a document would pass by being too large. */
function toIncomplete(why: string): DocumentReview {
  const remedy = 'Divide the document, or make the patterns of the ruleset simpler.'
  return {
    lint: [{ rule: 'lint-incomplete', severity: 'error', pointer: '#', message: `the document ${why}`, remedy }],
    changes: [{ kind: 'breaking', rule: 'schema.not-compared', pointer: '#', detail: `the document ${why}` }],
  }
}
