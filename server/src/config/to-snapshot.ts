/** A checked document to the snapshot that a gateway runs. */
import type { ApiSpec, RouteSpec, SnapshotContent } from '../kernel/snapshot.ts'
import { toRouteFacts, type Operations } from './check-document.ts'
import type { CheckedRoot } from './compile.ts'
import type { Entry } from './policy-lists.ts'
import type { ApiPlan, RoutePlan } from './route-plans.ts'
import type { UpstreamSettings } from './schema/upstream.ts'
import { toConsumerSpec, toProductSpec } from './to-consumer.ts'
import { toListenerSpec } from './to-listener.ts'
import { toRouteTimeouts, toUpstreamSpec } from './to-upstream.ts'

export function toSnapshotContent({ document, plan, operations }: CheckedRoot): SnapshotContent {
  const upstreams = new Map(document.upstreams.map((upstream) => [upstream.name, upstream]))
  return {
    upstreams: document.upstreams.map(toUpstreamSpec),
    apis: plan.apis.map((api) => toApiSpec(api, operations)),
    routes: plan.apis.flatMap((api) => api.routes.map((route) => toRouteSpec(api, route, upstreams, operations))),
    policies: specsOf(plan.entries),
    consumers: plan.consumers.map(toConsumerSpec),
    products: plan.products.map(toProductSpec),
    listener: toListenerSpec(document.gateway, document.certificates),
  }
}

function toApiSpec(api: ApiPlan, operations: Operations): ApiSpec {
  const { name, version } = api.settings
  const schemas = operations.schemas.get(api)
  return { name, version, policies: specsOf(api.entries), ...(schemas === undefined ? {} : { schemas }) }
}

function toRouteSpec(
  api: ApiPlan,
  route: RoutePlan,
  upstreams: ReadonlyMap<string, UpstreamSettings>,
  operations: Operations,
): RouteSpec {
  const { settings } = api
  const upstream = upstreams.get(route.upstream ?? '')
  return {
    ...toRouteFacts(api, route, operations),
    operation: operations.byRoute.get(route.id),
    match: route.match,
    // What a mock answers for may not even exist yet.
    upstream: settings.lifecycle?.state === 'mock' ? undefined : route.upstream,
    stripBasePath: settings.stripBasePath,
    preserveHost: route.settings?.preserveHost ?? settings.preserveHost ?? false,
    policies: specsOf(route.entries),
    timeouts: toRouteTimeouts(route.settings?.timeouts, settings.timeouts, upstream?.timeouts),
  }
}

function specsOf(entries: readonly Entry[]) {
  return entries.map(({ spec }) => spec)
}
