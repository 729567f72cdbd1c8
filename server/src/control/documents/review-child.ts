/** The process that reviews a document: told of it by one message, answers with one, ends. */
import { enableCompileCache } from 'node:module'
import type { DocumentReview, ReviewOrder } from './review-document.ts'

process.once('message', (order: ReviewOrder & { readonly cacheFolder: string }) => {
  enableCompileCache(order.cacheFolder)
  void run(order).then((review) => {
    process.send?.(review, undefined, undefined, () => process.disconnect?.())
  })
})

async function run(order: ReviewOrder): Promise<DocumentReview> {
  const { reviewDocument } = await import('./review-document.ts')
  return reviewDocument(order)
}
