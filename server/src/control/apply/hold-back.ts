/**
 * What of a document has to wait for a secret that nobody has set yet: a document that was exported elsewhere names
 * secrets, and their values never come along. Everything else is applied, and what waits is told with what it needs.
 */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import { settingsOwner, toSettings } from '../environments/gateway-settings.ts'
import { readEnvironment } from '../environments/read-environment.ts'
import { findResource } from '../resources/resource-store.ts'
import { referredSecrets } from '../resources/secret-references.ts'
import { hasValue, toSecretShelf, type SecretOwner } from '../secrets/secret-values.ts'
import { plansOf } from '../subscriptions/subscription-store.ts'
import type { ApplyContext } from './apply-context.ts'
import { nameOf, type DesiredState } from './desired-state.ts'
import { isSame } from './document-changes.ts'
import { HeldParts, holdGuards, type HeldBack } from './hold-guards.ts'
import { toVersionKey } from './review-desired.ts'

export interface Ready {
  /** What can be applied now. */
  readonly desired: DesiredState
  readonly held: readonly HeldBack[]
}

export async function holdBack(context: ApplyContext, desired: DesiredState): Promise<Ready> {
  const { db } = context.write
  const missing = await findMissing(db, context.call.workspace, { ...desired, gateway: undefined })
  const missingForGateway = await findMissing(db, await settingsOwner(db), desired.gateway)
  if (missing.size + missingForGateway.size === 0) return { desired, held: [] }
  const held = new HeldParts()
  if (missingForGateway.size > 0) {
    const reason = `needs a value of the secret ${[...missingForGateway].join(', ')}, written in the place of the reference`
    held.add({ kind: 'gateway-settings', name: context.environment, reason })
  }
  holdForSecrets(context, desired, missing, held)
  await holdForUpstreams(context, desired, held)
  await holdForCertificates(context, desired, held)
  await holdGuards(context, desired, held)
  await holdForPlans(context, desired, held)
  return { desired: withoutHeld(context, desired, held), held: held.list() }
}

/** What of the workspace refers to a missing secret itself. */
function holdForSecrets(
  { call }: ApplyContext,
  desired: DesiredState,
  missing: ReadonlySet<string>,
  held: HeldParts,
): void {
  const hold = (kind: string, name: string, value: JsonValue | undefined): void => {
    const needed = [...referredSecrets(JSON.stringify(value ?? null))].filter((secret) => missing.has(secret))
    if (needed.length > 0) held.add({ kind, name, reason: `needs a value of the secret ${needed.join(', ')}` })
  }
  hold('policies', call.workspace.name, desired.policies)
  for (const each of desired.policyLists) hold('policy-list', nameOf(each), each)
  for (const each of desired.upstreams) hold('upstream', nameOf(each), each)
  for (const each of desired.certificates) hold('certificate', nameOf(each), each)
  for (const each of desired.webhooks) hold('webhook', nameOf(each), each)
  for (const each of desired.products) hold('product', nameOf(each), each)
  for (const { document } of desired.consumers) hold('consumer', nameOf(document), document)
  for (const { document, versions } of desired.apis) {
    for (const { name, settings } of versions) hold('version', toVersionKey(nameOf(document), name), settings)
  }
}

/** Versions of upstreams that are held back and are not there from before have nothing to call. */
async function holdForUpstreams(
  { call, write, environment }: ApplyContext,
  desired: DesiredState,
  held: HeldParts,
): Promise<void> {
  const shelf = { workspaceId: call.workspace.id, kind: 'upstream', parentId: '' }
  const waiting = new Set<string>()
  for (const name of desired.upstreams.map(nameOf).filter((each) => held.has('upstream', each))) {
    const known =
      (await findResource(write.db, shelf, name, environment)) ?? (await findResource(write.db, shelf, name))
    if (known === undefined) waiting.add(name)
  }
  for (const { document, versions } of desired.apis) {
    for (const { name, settings } of versions) {
      const upstream = upstreamsOf(settings).find((each) => waiting.has(each))
      if (upstream === undefined) continue
      const reason = `needs the upstream ${upstream}, which waits itself`
      held.add({ kind: 'version', name: toVersionKey(nameOf(document), name), reason })
    }
  }
}

/** A certificate that moves from the settings to one of its own stays where it is as long as that one waits. */
async function holdForCertificates(
  { write, environment }: ApplyContext,
  { gateway, certificates }: DesiredState,
  held: HeldParts,
): Promise<void> {
  const waiting = certificates.map(nameOf).find((each) => held.has('certificate', each))
  if (waiting === undefined || gateway === undefined) return
  const known = toSettings(JSON.parse((await readEnvironment(write.db, environment)).gateway))
  if (known['tls'] === undefined || isSame(known['tls'], gateway['tls'])) return
  const reason = `needs the certificate ${waiting}, which has to wait`
  held.add({ kind: 'gateway-settings', name: environment, reason })
}

/** A subscription to a plan that is not there yet would give the access, but none of the limits. */
async function holdForPlans({ call, write }: ApplyContext, desired: DesiredState, held: HeldParts): Promise<void> {
  const shelf = { workspaceId: call.workspace.id, kind: 'product', parentId: '' }
  for (const { document, subscriptions } of desired.consumers) {
    for (const { product, plan } of subscriptions) {
      if (!held.has('product', product)) continue
      const row = await findResource(write.db, shelf, product)
      if (row !== undefined && plansOf(row).some(({ name }) => name === plan)) continue
      const reason = `needs the plan ${plan} of the product ${product}, which has to wait`
      held.add({ kind: 'consumer', name: nameOf(document), reason })
    }
  }
}

/** An API whose versions wait is there already, so that lists and products can name it. */
function withoutHeld({ call, environment }: ApplyContext, desired: DesiredState, held: HeldParts): DesiredState {
  const ready = (kind: string, documents: readonly JsonObject[]): JsonObject[] =>
    documents.filter((document) => !held.has(kind, nameOf(document)))
  return {
    gateway: held.has('gateway-settings', environment) ? undefined : desired.gateway,
    policies: held.has('policies', call.workspace.name) ? undefined : desired.policies,
    policyLists: ready('policy-list', desired.policyLists),
    upstreams: ready('upstream', desired.upstreams),
    products: ready('product', desired.products),
    certificates: ready('certificate', desired.certificates),
    webhooks: ready('webhook', desired.webhooks),
    consumers: desired.consumers.filter(({ document }) => !held.has('consumer', nameOf(document))),
    apis: desired.apis.map(({ document, versions }) => ({
      document,
      versions: versions.filter(({ name }) => !held.has('version', toVersionKey(nameOf(document), name))),
    })),
  }
}

function upstreamsOf(settings: JsonObject): string[] {
  const { upstream, routes } = settings
  const ofRoutes = Array.isArray(routes) ? routes.filter(isJsonObject).map((route) => route['upstream']) : []
  return [upstream, ...ofRoutes].filter((each) => typeof each === 'string')
}

async function findMissing(db: Kysely<Tables>, owner: SecretOwner, wanted: unknown): Promise<ReadonlySet<string>> {
  const missing = new Set<string>()
  for (const name of referredSecrets(JSON.stringify(wanted ?? null))) {
    const row = await findResource(db, toSecretShelf(owner), name)
    if (row === undefined || !hasValue(row)) missing.add(name)
  }
  return missing
}
