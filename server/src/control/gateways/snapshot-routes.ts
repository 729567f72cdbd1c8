/** What gateways ask: the snapshot of their environment, as the change since the one that they have. */
import {
  bucketsAnswer,
  bucketsRequest,
  snapshotAnswer,
  snapshotQuery,
  type SnapshotAnswer,
} from '../../kernel/control-protocol.ts'
import type { SnapshotChange } from '../../kernel/snapshot-tree.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { refuse } from '../control-error.ts'
import { notFound } from '../problems.ts'
import type { PublishedSnapshot } from '../snapshots/snapshot-feed.ts'

export const getSnapshot = defineRoute({
  id: 'pullSnapshot',
  method: 'GET',
  path: '/gateway/snapshot',
  tag: 'gateways',
  summary: 'Gives a gateway what changed since the snapshot that it has; waits for a change.',
  permission: { door: 'gateway' },
  effect: 'read',
  query: snapshotQuery,
  output: snapshotAnswer,
  async handle(call) {
    const { control, query } = call
    const { environment } = await ownGateway(call)
    if (query.after !== undefined && query.waitSeconds > 0) {
      const signal = AbortSignal.any([call.signal, AbortSignal.timeout(query.waitSeconds * 1000)])
      await control.feed.waitForChange(environment, query.after, signal)
    }
    return { body: toAnswer(call, current(call, environment), query.after) }
  },
})

function toAnswer({ control }: Pick<Call, 'control'>, published: PublishedSnapshot, after?: string): SnapshotAnswer {
  const { environment } = published
  const answer = (kind: SnapshotAnswer['kind'], change: SnapshotChange): SnapshotAnswer => {
    return {
      ...published,
      signers: [...control.keys.signers],
      kind,
      removed: [...change.removed],
      lines: [...change.lines],
    }
  }
  const nothing: SnapshotChange = { removed: [], lines: [] }
  if (after === published.root) return answer('same', nothing)
  if (after === undefined) {
    return answer('whole', { removed: [], lines: [...(control.feed.treeOf(environment)?.lines() ?? [])] })
  }
  const change = control.feed.changeSince(environment, after)
  return change === undefined ? answer('unknown', nothing) : answer('change', change)
}

export const compareBuckets = defineRoute({
  id: 'compareSnapshotBuckets',
  method: 'POST',
  path: '/gateway/snapshot/buckets',
  tag: 'gateways',
  summary: 'Gives a gateway the buckets of the snapshot that differ from its own.',
  permission: { door: 'gateway' },
  effect: 'read',
  body: bucketsRequest,
  output: bucketsAnswer,
  async handle(call) {
    const { environment } = await ownGateway(call)
    const published = current(call, environment)
    const tree = call.control.feed.treeOf(environment)
    const hashes = tree?.bucketHashes() ?? []
    const buckets = hashes.flatMap((hash, index) =>
      hash === call.body.hashes[index] ? [] : [{ index, lines: tree?.linesOfBucket(index) ?? [] }],
    )
    return { body: { ...published, signers: [...call.control.keys.signers], buckets } }
  },
})

function current({ control }: Pick<Call, 'control'>, environment: string): PublishedSnapshot {
  const published = control.feed.current(environment)
  return published ?? refuse(notFound({ detail: `There is no environment ${JSON.stringify(environment)} any more.` }))
}

/** The gateway that calls. */
export async function ownGateway({ db, actor }: Pick<Call, 'db' | 'actor'>) {
  const id = actor.id.slice('gateway:'.length)
  const row = await db.selectFrom('gateways').selectAll().where('id', '=', id).executeTakeFirst()
  return row ?? refuse(notFound())
}
