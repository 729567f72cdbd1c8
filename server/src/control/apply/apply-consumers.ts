/**
 * Applies consumers with their keys and subscriptions, which are things of their own in the control plane. Some are read
 * together, decided one after the other as the document has them, written and published together: a document may have
 * tens of thousands.
 */
import { keyChunks } from '../../db/chunks.ts'
import { consumers } from '../consumers/consumers.ts'
import { writeCredentials } from '../credentials/credential-store.ts'
import { publishWritten, writePlanned, type PlannedResource } from '../resources/put-resources.ts'
import type { Resource } from '../resources/resource-store.ts'
import { writeSubscriptions } from '../subscriptions/subscription-store.ts'
import { asCall, type ApplyContext } from './apply-context.ts'
import { applyKeys, readKeys } from './apply-credentials.ts'
import { findApplied, planApplied } from './apply-resources.ts'
import { applySubscriptions, readSubscriptions } from './apply-subscriptions.ts'
import type { DesiredConsumer } from './desired-state.ts'

export async function applyConsumers(context: ApplyContext, desired: readonly DesiredConsumer[]): Promise<void> {
  for (const some of keyChunks(desired)) await applySome(context, some)
}

async function applySome(context: ApplyContext, some: readonly DesiredConsumer[]): Promise<void> {
  const documents = some.map(({ document }) => document)
  const known = await findApplied(context, consumers, documents)
  const keys = await readKeys(context, [...known.values()], some)
  const subscriptions = await readSubscriptions(context, some)
  const planned: PlannedResource[] = []
  const changed: Resource[] = []
  for (const each of some) {
    const { row, planned: own } = await planApplied(context, consumers, known, each.document)
    const hasKeys = applyKeys(context, keys, row, each.keys)
    const hasSubscriptions = applySubscriptions(context, subscriptions, row, each.subscriptions)
    if (own !== undefined) planned.push(own)
    if (own !== undefined || hasKeys || hasSubscriptions) changed.push(row)
  }
  const { write } = context
  const parts = { call: asCall(context), write }
  await writePlanned(consumers, parts, planned)
  await writeCredentials(write.db, keys)
  await writeSubscriptions(write.db, subscriptions)
  await publishWritten(consumers, parts, changed)
}
