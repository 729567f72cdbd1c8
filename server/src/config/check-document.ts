/** All checks that look at more than one key: names, references, precedence, policies where they stand, effect. */
import type { JsonObject } from '../kernel/json.ts'
import { withSchemas, type RouteFacts } from '../kernel/snapshot.ts'
import { checkCertificates, checkOnlyControl } from './check-certificates.ts'
import { checkGateway } from './check-gateway.ts'
import { nothingYet, type PolicyChecker, type Standing } from './check-policies.ts'
import { checkSubscriptions, checkUpstreamUse } from './check-references.ts'
import { checkPrecedence } from './check-routes.ts'
import { checkUpstream } from './check-upstreams.ts'
import type { Findings } from './findings.ts'
import type { DocumentPlan } from './plan-document.ts'
import type { Entry } from './policy-lists.ts'
import type { ApiPlan, RoutePlan } from './route-plans.ts'
import type { ConfigDocument } from './schema/document.ts'
import { checkKeys, type ProductPlan } from './to-consumer.ts'
import type { Steps } from './steps.ts'
import { checkSelector } from './version-selector.ts'

/** What routes have whose policies work on it. */
export interface Operations {
  /** Resolved operations by route id. */
  readonly byRoute: ReadonlyMap<string, JsonObject>
  /** What references of these lead to, by name. */
  readonly schemas: ReadonlyMap<ApiPlan, JsonObject>
}

export const noOperations: Operations = { byRoute: new Map(), schemas: new Map() }

/** Checks parts that can be looked at by themselves, so that their findings come along with those of the plan. */
export function* checkParts(
  document: ConfigDocument,
  plan: DocumentPlan,
  checker: PolicyChecker,
  findings: Findings,
  scope: 'whole' | 'part',
): Steps<void> {
  checkGateway(document.gateway, findings, scope, document.certificates.length)
  checkCertificates(document, findings)
  if (scope === 'whole') checkOnlyControl(document, findings)
  document.upstreams.forEach((upstream, index) => checkUpstream(upstream, ['upstreams', index], findings))
  if (scope === 'whole') checkSubscriptions(document, findings)
  checkKeys(plan.consumers, findings)
  yield
  yield* checkExpressions(document, plan, checker)
}

/** Checks how the parts work together; needs a plan without findings, or one mistake would be told many times. */
export function* checkWhole(
  document: ConfigDocument,
  plan: DocumentPlan,
  checker: PolicyChecker,
  findings: Findings,
  scope: 'whole' | 'part',
): Steps<Operations> {
  yield* checkApis(plan.apis, findings)
  const operations = yield* resolveOperations(plan)
  const standings = yield* checkLists(plan, operations, checker)
  if (scope === 'part') return operations
  checkUpstreamUse(document, plan.apis, (id) => standings.get(id), findings)
  checkKeyUse(plan, checker, findings)
  checkSubscribers(plan, standings, checker, findings)
  return operations
}

export function toRouteFacts(api: ApiPlan, route: RoutePlan, operations: Operations): RouteFacts {
  return {
    id: route.id,
    name: route.name,
    api: api.settings.name,
    apiVersion: api.settings.version,
    parameterNames: route.parameterNames,
    operation: withSchemas(operations.byRoute.get(route.id), operations.schemas.get(api)),
  }
}

function* checkApis(apis: readonly ApiPlan[], findings: Findings): Steps<void> {
  for (const { settings, path, routes } of apis) {
    if (routes.length === 0) {
      const hint = 'Add `spec`, or a route: `routes: [{ name: all, match: { path: /* } }]`.'
      findings.report(path, `the API ${settings.name} has no routes`, { hint })
    }
    if (settings.host !== undefined && settings.hosts.length > 0) {
      findings.report([...path, 'host'], '`host` and `hosts` stand together', { hint: 'Put it into `hosts`.' })
    }
    checkSelector(settings, path, findings)
    if (/[{}*]/.test(settings.basePath)) {
      findings.report([...path, 'basePath'], 'a base path has no parameters and no `*`', {
        hint: 'Put them into routes.',
      })
    }
  }
  yield* checkPrecedence(
    apis.flatMap(({ routes }) => routes),
    findings,
  )
}

function* checkExpressions(document: ConfigDocument, plan: DocumentPlan, checker: PolicyChecker): Steps<void> {
  document.upstreams.forEach(({ loadBalancing: { hashBy } }, index) => {
    if (hashBy !== undefined) checker.checkExpression(['upstreams', index, 'loadBalancing', 'hashBy'], hashBy, 'string')
  })
  for (const { routes } of plan.apis) {
    for (const { match, path } of routes) {
      if (match.when !== undefined) checker.checkExpression([...path, 'match', 'when'], match.when, 'bool')
    }
    yield
  }
}

/** Operations are resolved only where a policy works on them: documents are large, and a snapshot travels. */
function* resolveOperations({ entries, apis }: DocumentPlan): Steps<Operations> {
  const uses = (list: readonly Entry[]): boolean => list.some(({ definition }) => definition.usesOperation === true)
  const byRoute = new Map<string, JsonObject>()
  const schemas = new Map<ApiPlan, JsonObject>()
  for (const api of apis) {
    const throughout = uses(entries) || uses(api.entries)
    for (const route of api.routes) {
      if (route.operation === undefined || !(throughout || uses(route.entries))) continue
      // One that cannot be resolved is reported; an empty one in its place keeps others from being blamed for it.
      byRoute.set(route.id, route.operation.resolve() ?? {})
    }
    const shared = api.routes.find(({ operation }) => operation !== undefined)?.operation?.shared() ?? {}
    if (Object.keys(shared).length > 0) schemas.set(api, shared)
    yield
  }
  return { byRoute, schemas }
}

/** Checks each list once, behind the lists around it; what stands after each route's is returned by route id. */
function* checkLists(plan: DocumentPlan, operations: Operations, checker: PolicyChecker): Steps<Map<string, Standing>> {
  const facts = new Map(
    plan.apis.map((api) => [api, api.routes.map((route) => toRouteFacts(api, route, operations))] as const),
  )
  const all = [...facts.values()].flat()
  const afterGlobal = checker.checkList(plan.entries, nothingYet, all)
  const standings = new Map<string, Standing>()
  for (const [api, ofApi] of facts) {
    const afterApi = checker.checkList(api.entries, afterGlobal, ofApi)
    api.routes.forEach((route, index) => {
      standings.set(route.id, checker.checkList(route.entries, afterApi, ofApi.slice(index, index + 1)))
    })
    yield
  }
  for (const { settings, plans } of plan.products) {
    const ofProduct = all.filter(({ api }) => settings.apis.includes(api))
    for (const { entries } of plans) checker.checkPrincipalList(entries, 'a plan', ofProduct)
    yield
  }
  for (const { entries } of plan.consumers) {
    checker.checkPrincipalList(entries, 'a consumer', all)
    yield
  }
  return standings
}

function checkKeyUse({ consumers }: DocumentPlan, checker: PolicyChecker, findings: Findings): void {
  const owner = consumers.find(({ settings }) => settings.keys.length > 0)
  if (owner === undefined || [...checker.used].some((definition) => definition.usesKeys === true)) return
  const kinds = checker.kindsWhere((definition) => definition.usesKeys === true)
  const hint = `Add a policy that asks for them (${kinds}), or remove the keys.`
  findings.report([...owner.path, 'keys'], 'keys have no effect: no policy asks for one', { hint })
}

/** An API for subscribers has to know who calls, or it refuses everybody. */
function checkSubscribers(
  { apis, products }: DocumentPlan,
  standings: ReadonlyMap<string, Standing>,
  checker: PolicyChecker,
  findings: Findings,
): void {
  const kinds = checker.kindsWhere((each) => each.gives?.includes('principal') === true)
  for (const { settings, path, routes } of apis) {
    const product = products.find((each) => each.settings.access === 'subscription' && names(each, settings.name))
    const isOpen = (route: RoutePlan): boolean => {
      const standing = standings.get(route.id)
      return standing?.answered === undefined && standing?.given.has('principal') !== true
    }
    const open = product === undefined ? undefined : routes.find(isOpen)
    if (product === undefined || open === undefined) continue
    const message = `only subscribers of ${product.settings.name} may call the API, but its route ${open.name} asks nobody who they are`
    const hint = `Add a policy that does (${kinds}), or give the product \`access: open\`.`
    findings.report(path, message, { otherPath: product.path, hint })
  }
}

function names({ settings }: ProductPlan, api: string): boolean {
  return settings.apis.includes(api)
}
