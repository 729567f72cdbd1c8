/** The process that works on a document: told what by one message, answers with one, ends. */
import { enableCompileCache } from 'node:module'
import type { RulesetIssue } from '../lint/spectral/parse-ruleset.ts'
import type { CheckOrder, CheckOutcome } from './check-part.ts'
import type { DocumentReview, ReviewOrder } from './review-document.ts'

/** What it can be told, by the kind of work; each is an order and the outcome that answers it. */
export interface ChildWorks {
  readonly review: { readonly order: ReviewOrder; readonly outcome: DocumentReview }
  readonly check: { readonly order: CheckOrder; readonly outcome: CheckOutcome }
  readonly ruleset: { readonly order: { readonly text: string }; readonly outcome: readonly RulesetIssue[] }
}

export type ChildOrder = {
  [Work in keyof ChildWorks]: { readonly work: Work; readonly order: ChildWorks[Work]['order'] }
}[keyof ChildWorks]

type Outcome = ChildWorks[keyof ChildWorks]['outcome']

process.once('message', (message: ChildOrder & { readonly cacheFolder: string }) => {
  enableCompileCache(message.cacheFolder)
  void run(message).then((outcome) => {
    process.send?.(outcome, undefined, undefined, () => process.disconnect?.())
  })
})

/** Each kind of work loads what it needs and nothing else. */
async function run(message: ChildOrder): Promise<Outcome> {
  if (message.work === 'review') {
    const { reviewDocument } = await import('./review-document.ts')
    return reviewDocument(message.order)
  }
  if (message.work === 'check') {
    const { checkOrder } = await import('./check-part.ts')
    const { policies } = await import('../../policies/index.ts')
    return checkOrder(message.order, policies)
  }
  const { findIssues } = await import('../lint/spectral/parse-ruleset.ts')
  return findIssues(message.order.text)
}
