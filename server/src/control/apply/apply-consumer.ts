/** Applies a consumer with its keys and subscriptions, which are things of their own in the control plane. */
import { consumers } from '../consumers/consumers.ts'
import { consumerPart } from '../consumers/consumer-part.ts'
import { publishResource } from '../snapshots/publish-resource.ts'
import type { ApplyContext } from './apply-context.ts'
import { applyKeys } from './apply-credentials.ts'
import { applyResource } from './apply-resources.ts'
import { applySubscriptions } from './apply-subscriptions.ts'
import type { DesiredConsumer } from './desired-state.ts'

export async function applyConsumer(context: ApplyContext, desired: DesiredConsumer): Promise<void> {
  const { call, write } = context
  const row = await applyResource(context, consumers, desired.document)
  const hasKeys = await applyKeys(context, row, desired.keys)
  const hasSubscriptions = await applySubscriptions(context, row, desired.subscriptions)
  if (!hasKeys && !hasSubscriptions) return
  const { control, workspace } = call
  await publishResource({ control, workspace, write, before: row, after: row }, consumerPart)
}
