/** The one list of nouns whose things are documents. */
import { apis } from './apis/apis.ts'
import { certificates } from './certificates/certificates.ts'
import { consumers } from './consumers/consumers.ts'
import { policyLists } from './policies/policy-lists.ts'
import { products } from './products/products.ts'
import type { CollectionDefinition } from './resources/define-collection.ts'
import { upstreams } from './upstreams/upstreams.ts'
import { webhooks } from './webhooks/webhooks.ts'

export const collections: readonly CollectionDefinition[] = [
  apis,
  upstreams,
  consumers,
  products,
  policyLists,
  certificates,
  webhooks,
]
