/** Reviews large documents, and all that patterns of a workspace's own ruleset look at, in a process with bounds. */
import { runInChild } from '../../config/openapi/run-in-child.ts'
import { toThreadUrl } from '../../kernel/thread-url.ts'
import type { Call } from '../define-route.ts'
import { inChildTurn } from './in-child-turn.ts'
import { reviewDocument, type DocumentReview, type ReviewOrder } from './review-document.ts'

/** Up to this size, and by rules of ours, a review takes some milliseconds. */
const MOST_CHARS_AT_ONCE = 64 * 1024
const MOST_MS = 60_000

export async function reviewWithinBounds(
  { control: { documents }, workspace }: Pick<Call, 'control' | 'workspace'>,
  order: ReviewOrder,
): Promise<DocumentReview> {
  const chars = order.text.length + (order.before?.length ?? 0)
  if (order.ruleset === undefined && chars <= MOST_CHARS_AT_ONCE) return reviewDocument(order)
  const entry = toThreadUrl('./review-child', import.meta.url)
  const work = { entry, order: { ...order, cacheFolder: documents.cacheFolder }, mostMs: MOST_MS, what: 'review' }
  const result = await inChildTurn(() => runInChild<DocumentReview>(work), workspace.id)
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
