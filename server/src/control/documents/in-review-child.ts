/** Hands work on a document to a process of its own, in its turn and with bounds on time and memory. */
import { runInChild, type ChildResult } from '../../config/openapi/run-in-child.ts'
import { toThreadUrl } from '../../kernel/thread-url.ts'
import type { Call } from '../define-route.ts'
import { inChildTurn } from './in-child-turn.ts'
import type { ChildOrder, ChildWorks } from './review-child.ts'

/** Up to this size the work takes some milliseconds, which is less than a process takes to start. */
export const MOST_CHARS_AT_ONCE = 64 * 1024
const MOST_MS = 60_000

/** Refuses with `documents.busy` when too many wait. */
export async function inReviewChild<Work extends ChildOrder['work']>(
  { control: { documents }, workspace }: Pick<Call, 'control' | 'workspace'>,
  work: Work,
  order: ChildWorks[Work]['order'],
): Promise<ChildResult<ChildWorks[Work]['outcome']>> {
  const entry = toThreadUrl('./review-child', import.meta.url)
  const what = work === 'review' ? 'review' : 'check'
  const message = { work, order, cacheFolder: documents.cacheFolder }
  return inChildTurn(() => runInChild({ entry, order: message, mostMs: MOST_MS, what }), workspace.id)
}
