/** Products: bundles of APIs with plans that consumers subscribe to. */
import { product } from '../../config/schema/consumer.ts'
import type { CollectionDefinition } from '../resources/define-collection.ts'
import { checkDocument } from '../snapshots/compile-lines.ts'
import { checkPlans, endSubscriptions } from '../subscriptions/subscription-store.ts'

export const products: CollectionDefinition = {
  kind: 'product',
  plural: 'products',
  title: 'a product',
  permissions: 'products',
  schema: product,
  perEnvironment: false,
  async check(control, db, workspace, document) {
    checkDocument(control, { products: [document] })
    await checkPlans(db, workspace.id, product.parse(document))
  },
  removing: endSubscriptions,
  part: { list: 'products', isGuarded: true },
}
