/**
 * What guards APIs from outside of their versions: policies of the workspace, policy lists, products, TLS of the
 * gateways and its certificates. For each, which APIs it guards by a document and which it guards now.
 */
import { policyList } from '../../config/schema/policy-list.ts'
import { product } from '../../config/schema/consumer.ts'
import { holdsFor } from '../../config/shared-lists.ts'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { readEnvironment } from '../environments/read-environment.ts'
import { policyLists } from '../policies/policy-lists.ts'
import { products } from '../products/products.ts'
import { toSecretOwner, type CollectionDefinition } from '../resources/define-collection.ts'
import { documentOf } from '../resources/resource-view.ts'
import { extractSecrets } from '../resources/secret-references.ts'
import { readWorkspaceSettings, workspaceSettings } from '../workspaces/workspace-settings.ts'
import type { ApplyContext } from './apply-context.ts'
import { nameOf, type DesiredState } from './desired-state.ts'
import { isSame } from './document-changes.ts'

/** Whether an API of this name is meant. */
type Scope = (api: string) => boolean

export interface SharedGuard {
  readonly kind: string
  readonly name: string
  /** What it is for people, such as `the product gold`. */
  readonly title: string
  /** What it guards by the document. */
  readonly wanted: Scope
  /** What it guards now, where the document changes or removes it. */
  readonly taken: Scope
}

const all: Scope = () => true
const none: Scope = () => false

export async function readSharedGuards(context: ApplyContext, desired: DesiredState): Promise<SharedGuard[]> {
  return [
    ...(await readGateway(context, desired)),
    ...(await readCertificates(context, desired)),
    ...(await readPolicies(context, desired)),
    ...(await readCollection(context, policyLists, desired.policyLists, 'the policy list', toListScope)),
    ...(await readCollection(context, products, desired.products, 'the product', toProductScope)),
  ]
}

/** Without the TLS that a document asks for, APIs would answer in the clear alone, and whoever has no certificate. */
async function readGateway(context: ApplyContext, { gateway }: DesiredState): Promise<SharedGuard[]> {
  if (gateway?.['tls'] === undefined) return []
  const { environment, write } = context
  const known: unknown = JSON.parse((await readEnvironment(write.db, environment)).gateway)
  const isThere = isJsonObject(known) && isSame(known['tls'], gateway['tls'])
  const wanted = isThere ? none : all
  return [{ kind: 'gateway-settings', name: environment, title: 'the gateway settings', wanted, taken: none }]
}

/** The same for a certificate that is not there yet, and for one that goes, whose place another takes that may wait. */
async function readCertificates(
  { call, write, environment, source }: ApplyContext,
  { certificates }: DesiredState,
): Promise<SharedGuard[]> {
  const rows = await write.db
    .selectFrom('resources')
    .select(['name', 'environment', 'source'])
    .where('workspace_id', '=', call.workspace.id)
    .where('kind', '=', 'certificate')
    .where('environment', 'in', ['', environment])
    .execute()
  const toGuard = (name: string, wanted: Scope, taken: Scope): SharedGuard => {
    return { kind: 'certificate', name, title: `the certificate ${name}`, wanted, taken }
  }
  const known = new Set(rows.map(({ name }) => name))
  const names = new Set(certificates.map(nameOf))
  const gone = rows.filter((row) => row.source === source && row.environment === environment && !names.has(row.name))
  return [
    ...[...names].map((name) => toGuard(name, known.has(name) ? none : all, none)),
    ...gone.map(({ name }) => toGuard(name, none, all)),
  ]
}

async function readPolicies({ call, write }: ApplyContext, { policies }: DesiredState): Promise<SharedGuard[]> {
  if (policies === undefined) return []
  const { control, workspace } = call
  const before = (await readWorkspaceSettings(write.db, workspace)).policies
  const after = extractSecrets({ policies }, workspaceSettings, control.policies, 'workspace').document['policies']
  const taken = before.length === 0 || isSame(before, after) ? none : all
  return [{ kind: 'policies', name: workspace.name, title: 'the policies of the workspace', wanted: all, taken }]
}

/** Those of the document, and those that go because the document names them no longer. */
async function readCollection(
  { call, write, source }: ApplyContext,
  collection: CollectionDefinition,
  documents: readonly JsonObject[],
  words: string,
  toScope: (document: JsonObject) => Scope,
): Promise<SharedGuard[]> {
  const { control, workspace } = call
  const { kind, schema } = collection
  const rows = await write.db
    .selectFrom('resources')
    .selectAll()
    .where('workspace_id', '=', workspace.id)
    .where('kind', '=', kind)
    .execute()
  const known = new Map(rows.map((row) => [row.name, documentOf(row)]))
  const named = documents.map((document): SharedGuard => {
    const name = nameOf(document)
    const before = known.get(name)
    const after = extractSecrets(document, schema, control.policies, toSecretOwner(collection, name, '')).document
    const taken = before === undefined || isSame(before, after) ? none : toScope(before)
    return { kind, name, title: `${words} ${name}`, wanted: toScope(document), taken }
  })
  const names = new Set(documents.map(nameOf))
  const gone = rows
    .filter((row) => row.source === source && !names.has(row.name))
    .map((row): SharedGuard => {
      return { kind, name: row.name, title: `${words} ${row.name}`, wanted: none, taken: toScope(documentOf(row)) }
    })
  return [...named, ...gone]
}

function toListScope(document: JsonObject): Scope {
  const settings = policyList.parse(document)
  return (api) => holdsFor(settings, api)
}

function toProductScope(document: JsonObject): Scope {
  const apis = new Set(product.parse(document).apis)
  return (api) => apis.has(api)
}
