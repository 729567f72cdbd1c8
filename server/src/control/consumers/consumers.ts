/** Consumers: the applications that call. Their keys are credentials, what they may use are subscriptions. */
import { z } from 'zod'
import { consumer } from '../../config/schema/consumer.ts'
import type { CollectionDefinition } from '../resources/define-collection.ts'
import { checkDocument } from '../snapshots/compile-lines.ts'
import { consumerPart } from './consumer-part.ts'

const { keys: _keys, subscriptions: _subscriptions, ...shape } = consumer.shape

export const consumers: CollectionDefinition = {
  kind: 'consumer',
  plural: 'consumers',
  title: 'a consumer',
  permissions: 'consumers',
  schema: z.strictObject(shape),
  perEnvironment: true,
  async check(control, _db, _workspace, document) {
    checkDocument(control, { consumers: [document] })
  },
  part: consumerPart,
}
