/** The process that works on a document: told what by one message, answers with one, ends. */
import { enableCompileCache } from 'node:module'
import { runAtOnce } from '../../config/steps.ts'
import { isJsonObject } from '../../kernel/json.ts'
import type { RulesetIssue } from '../lint/spectral/parse-ruleset.ts'
import type { CheckOrder, CheckOutcome } from './check-part.ts'
import type { DocumentReview, ReviewOrder } from './review-document.ts'

/** What it can be told, by the kind of work; each is an order and the outcome that answers it. */
export interface ChildWorks {
  readonly review: { readonly order: ReviewOrder; readonly outcome: DocumentReview }
  readonly check: { readonly order: TextOfOrder; readonly outcome: CheckOutcome }
  readonly ruleset: { readonly order: { readonly text: string }; readonly outcome: readonly RulesetIssue[] }
}

/** One text takes less memory on its way than all that it says. */
export type TextOfOrder = Omit<CheckOrder, 'document'> & { readonly document: string }

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
    const document: unknown = JSON.parse(message.order.document)
    if (!isJsonObject(document)) throw new TypeError('what is to be checked is an object')
    return runAtOnce(checkOrder({ ...message.order, document }, policies))
  }
  const { findIssues } = await import('../lint/spectral/parse-ruleset.ts')
  return findIssues(message.order.text)
}
