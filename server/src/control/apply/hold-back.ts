/**
 * What of a document has to wait for a secret that nobody has set yet: a document that was exported elsewhere names
 * secrets, and their values never come along. Everything else is applied, and what waits is told with what it needs.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import { findResource } from '../resources/resource-store.ts'
import { referredSecrets } from '../resources/secret-references.ts'
import { hasValue } from '../secrets/secret-values.ts'
import { DEFAULT_WORKSPACE } from '../snapshots/snapshot-names.ts'
import type { ApplyContext } from './apply-context.ts'
import { nameOf, type DesiredApi, type DesiredState } from './desired-state.ts'

export interface HeldBack {
  readonly kind: string
  readonly name: string
  readonly reason: string
}

export interface Ready {
  /** What can be applied now. */
  readonly desired: DesiredState
  readonly held: readonly HeldBack[]
}

export async function holdBack(context: ApplyContext, desired: DesiredState): Promise<Ready> {
  const missing = await findMissing(context, desired)
  if (missing.size === 0) return { desired, held: [] }
  const held: HeldBack[] = []
  /** Whether it can be applied; if not, that is noted. */
  const isReady = (kind: string, name: string, value: JsonValue | undefined): boolean => {
    const needed = [...referredSecrets(JSON.stringify(value ?? null))].filter((secret) => missing.has(secret))
    if (needed.length > 0) held.push({ kind, name, reason: `needs a value of the secret ${needed.join(', ')}` })
    return needed.length === 0
  }
  const { workspace } = context.call
  // Environments belong to no workspace: their secrets are those of the default one.
  const isHome = workspace.name === DEFAULT_WORKSPACE
  const isGatewayReady = !isHome || isReady('gateway-settings', context.environment, desired.gateway)
  const gateway = isGatewayReady ? desired.gateway : undefined
  const policies = isReady('policies', workspace.name, desired.policies?.slice()) ? desired.policies : undefined
  const upstreams = desired.upstreams.filter((each) => isReady('upstream', nameOf(each), each))
  const waiting = await findWaitingUpstreams(context, held)
  const apis = desired.apis
    .map((api) => toReadyApi(api, waiting, held, isReady))
    .filter(({ versions }) => versions.length > 0)
  const products = desired.products.filter((each) => isReady('product', nameOf(each), each))
  const consumers = desired.consumers.filter(({ document }) => isReady('consumer', nameOf(document), document))
  return { desired: { ...desired, gateway, policies, upstreams, apis, products, consumers }, held }
}

function toReadyApi(
  api: DesiredApi,
  waiting: ReadonlySet<string>,
  held: HeldBack[],
  isReady: (kind: string, name: string, value: JsonValue) => boolean,
): DesiredApi {
  const versions = api.versions.filter(({ name, settings }) => {
    const full = `${nameOf(api.document)} ${name}`
    const upstream = upstreamsOf(settings).find((each) => waiting.has(each))
    if (upstream === undefined) return isReady('version', full, settings)
    held.push({ kind: 'version', name: full, reason: `needs the upstream ${upstream}, which waits itself` })
    return false
  })
  return { ...api, versions }
}

/** Upstreams that are held back and are not there from before: what needs one of them has nothing to call. */
async function findWaitingUpstreams(
  { call, write, environment }: ApplyContext,
  held: readonly HeldBack[],
): Promise<ReadonlySet<string>> {
  const shelf = { workspaceId: call.workspace.id, kind: 'upstream', parentId: '' }
  const waiting = new Set<string>()
  for (const { kind, name } of held) {
    if (kind !== 'upstream') continue
    const known =
      (await findResource(write.db, shelf, name, environment)) ?? (await findResource(write.db, shelf, name))
    if (known === undefined) waiting.add(name)
  }
  return waiting
}

function upstreamsOf(settings: JsonObject): string[] {
  const { upstream, routes } = settings
  const ofRoutes = Array.isArray(routes) ? routes.filter(isJsonObject).map((route) => route['upstream']) : []
  return [upstream, ...ofRoutes].filter((each) => typeof each === 'string')
}

async function findMissing({ call, write }: ApplyContext, desired: DesiredState): Promise<ReadonlySet<string>> {
  const shelf = { workspaceId: call.workspace.id, kind: 'secret', parentId: '' }
  const missing = new Set<string>()
  for (const name of referredSecrets(JSON.stringify(desired))) {
    const row = await findResource(write.db, shelf, name)
    if (row === undefined || !hasValue(row)) missing.add(name)
  }
  return missing
}
