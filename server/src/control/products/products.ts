/** Products: bundles of APIs with plans that consumers subscribe to. */
import { product } from '../../config/schema/consumer.ts'
import { collectionRoutes } from '../resources/collection-routes.ts'
import type { CollectionDefinition } from '../resources/define-collection.ts'
import { documentOf } from '../resources/resource-view.ts'
import { checkDocument, compileDocument } from '../snapshots/compile-lines.ts'
import { publishResource } from '../snapshots/publish-resource.ts'

export const products: CollectionDefinition = {
  kind: 'product',
  plural: 'products',
  title: 'a product',
  permissions: 'products',
  schema: product,
  perEnvironment: false,
  async check(control, _db, _workspace, document) {
    checkDocument(control, { products: [document] })
  },
  async changed(change) {
    const { control, workspace, write } = change
    await publishResource(change, 'products', (row) =>
      compileDocument(write.db, control, workspace, { products: [documentOf(row)] }),
    )
  },
}

export const productRoutes = collectionRoutes(products)
