/** Makes an environment of a workspace say what a document says: all of it in one transaction, or nothing. */
import { product } from '../../config/schema/consumer.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { apis } from '../apis/apis.ts'
import { certificates } from '../certificates/certificates.ts'
import { consumers } from '../consumers/consumers.ts'
import { writeGatewaySettings } from '../environments/gateway-settings.ts'
import { checkListedApis } from '../policies/policy-list-store.ts'
import { policyLists } from '../policies/policy-lists.ts'
import { products } from '../products/products.ts'
import type { CollectionDefinition } from '../resources/define-collection.ts'
import { checkPlans } from '../subscriptions/subscription-store.ts'
import { upstreams } from '../upstreams/upstreams.ts'
import { webhooks } from '../webhooks/webhooks.ts'
import { readWorkspaceSettings } from '../workspaces/workspace-settings.ts'
import { writeWorkspacePolicies } from '../workspaces/workspace-policies.ts'
import { applyApi, pruneVersions } from './apply-api.ts'
import { applyConsumers } from './apply-consumers.ts'
import { tell, type ApplyContext } from './apply-context.ts'
import { applyResource, pruneResources } from './apply-resources.ts'
import { nameOf, type DesiredState } from './desired-state.ts'
import { listChanges } from './document-changes.ts'
import { holdBack } from './hold-back.ts'
import type { HeldBack } from './hold-guards.ts'

/** In the order in which things refer to each other; what goes, goes in the reverse one. */
export async function applyDocument(context: ApplyContext, whole: DesiredState): Promise<void> {
  const { desired, held } = await holdBack(context, whole)
  for (const { kind, name, reason } of held) tell(context, kind, name, 'held-back', [], reason)
  await applyGateway(context, desired.gateway)
  for (const document of desired.certificates) await applyResource(context, certificates, document)
  await applyPolicies(context, desired.policies)
  for (const document of desired.policyLists) await applyResource(context, policyLists, document)
  for (const document of desired.upstreams) await applyResource(context, upstreams, document)
  for (const api of desired.apis) await applyApi(context, api)
  for (const document of desired.policyLists) await checkListedApis(context.write.db, context.call.workspace, document)
  for (const document of desired.products) await applyResource(context, products, document)
  await applyConsumers(context, desired.consumers)
  for (const document of desired.webhooks) await applyResource(context, webhooks, document)
  // Only now: the consumers may have left the plans that the products no longer have.
  for (const document of desired.products) {
    await checkPlans(context.write.db, context.call.workspace.id, product.parse(document))
  }
  // What waits is named by the document, so what there is of it from before stays.
  await prune(context, whole, held)
}

/** What is held back stays: that the document names it no longer may be the very thing that waits. */
async function prune(context: ApplyContext, desired: DesiredState, held: readonly HeldBack[]): Promise<void> {
  const versions = desired.apis.flatMap(({ document, versions: list }) =>
    list.map(({ name }) => `${nameOf(document)} ${name}`),
  )
  await pruneVersions(context, new Set(versions))
  const pruneAll = (collection: CollectionDefinition, documents: readonly JsonObject[]): Promise<void> => {
    const waiting = held.filter(({ kind }) => kind === collection.kind).map(({ name }) => name)
    return pruneResources(context, collection, new Set([...documents.map(nameOf), ...waiting]))
  }
  await pruneAll(webhooks, desired.webhooks)
  await pruneAll(consumers, documentsOf(desired.consumers))
  await pruneAll(products, desired.products)
  await pruneAll(policyLists, desired.policyLists)
  await pruneAll(apis, documentsOf(desired.apis))
  await pruneAll(upstreams, desired.upstreams)
  await pruneAll(certificates, desired.certificates)
}

function documentsOf(parts: readonly { readonly document: JsonObject }[]): JsonObject[] {
  return parts.map(({ document }) => document)
}

async function applyGateway(context: ApplyContext, gateway: JsonObject | undefined): Promise<void> {
  if (gateway === undefined) return
  const { call, write, environment } = context
  const written = await writeGatewaySettings(call, write, environment, gateway, undefined)
  const { id, before, after, hasChanged } = written
  tell(context, 'gateway-settings', environment, hasChanged ? 'changed' : 'unchanged', listChanges(before, after))
  if (hasChanged) write.note({ kind: 'environment', id, name: environment, before, after })
}

async function applyPolicies(context: ApplyContext, policies: DesiredState['policies']): Promise<void> {
  if (policies === undefined) return
  const { call, write } = context
  const { policies: before } = await readWorkspaceSettings(write.db, call.workspace)
  const { policies: after, hasChanged } = await writeWorkspacePolicies(call, write, policies)
  const { id, name } = call.workspace
  tell(context, 'policies', name, hasChanged ? 'changed' : 'unchanged', listChanges(before, after))
  if (hasChanged) write.note({ kind: 'workspace', id, name, before: { policies: before }, after: { policies: after } })
}
