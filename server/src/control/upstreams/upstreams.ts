/** Upstreams: named backends of a workspace, for all environments or, under the same name, for one. */
import { upstream } from '../../config/schema/upstream.ts'
import type { CollectionDefinition } from '../resources/define-collection.ts'
import { checkDocument } from '../snapshots/compile-lines.ts'
import { findCaller } from './upstream-uses.ts'

export const upstreams: CollectionDefinition = {
  kind: 'upstream',
  plural: 'upstreams',
  title: 'an upstream',
  permissions: 'upstreams',
  schema: upstream,
  perEnvironment: true,
  async check(control, _db, _workspace, document) {
    checkDocument(control, { upstreams: [document] })
  },
  heldBy: findCaller,
  part: { list: 'upstreams', isGuarded: true },
}
