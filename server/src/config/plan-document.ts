/** The parts of a document put together: policies with their checked configuration, routes with their operations. */
import { checkNames } from './check-references.ts'
import { besideFile, type ConfigReader } from './file-reader.ts'
import type { Findings } from './findings.ts'
import type { KeyPath } from './issues.ts'
import { answersAll, toBroughtEntries } from './brought-entries.ts'
import type { Operation } from './openapi/operation.ts'
import { readOperations } from './openapi/read-operations.ts'
import type { PolicyConfigs, PolicyRegistry } from './policy-configs.ts'
import { PolicyLists, type Entry } from './policy-lists.ts'
import { planRoutes, type ApiPlan, type RoutePlan } from './route-plans.ts'
import type { ApiSettings } from './schema/api.ts'
import { holdsFor, planSharedLists } from './shared-lists.ts'
import type { ConfigDocument } from './schema/document.ts'
import type { Steps } from './steps.ts'
import type { ConsumerPlan, ProductPlan } from './to-consumer.ts'

export interface DocumentPlan {
  readonly entries: readonly Entry[]
  readonly apis: readonly ApiPlan[]
  readonly consumers: readonly ConsumerPlan[]
  readonly products: readonly ProductPlan[]
}

/** `folder` is where the configuration lies: documents may refer to files below it. */
export function* planDocument(
  document: ConfigDocument,
  configs: PolicyConfigs,
  registry: PolicyRegistry,
  folder: string,
  reader: ConfigReader,
  findings: Findings,
): Steps<DocumentPlan> {
  checkNames(document, findings)
  const lists = new PolicyLists(configs, findings)
  const shared = planSharedLists(document.policyLists, lists, findings)
  const readSpec = (api: ApiSettings, path: KeyPath): Operation[] => {
    if (api.spec === undefined) return []
    const keyPath = [...path, 'spec']
    const file = besideFile(findings.place(keyPath).file, api.spec)
    return readOperations(file, keyPath, folder, reader, findings)
  }
  // Ids are claimed in this order, and the later of two is told.
  const entries = lists.toEntries(document.policies, ['policies'], '')
  const apis: ApiPlan[] = []
  for (const [index, settings] of document.apis.entries()) {
    const path = ['apis', index]
    const owner = `apis/${settings.name}/${settings.version}`
    const brought = toBroughtEntries(settings, path, registry, findings)
    const ofLists = shared.flatMap((list) => (holdsFor(list.settings, settings.name) ? list.entries : []))
    const own = lists.toEntries(settings.policies, [...path, 'policies'], owner)
    const around = [...ofLists, ...brought.first, ...own]
    const routes = planRoutes(settings, path, readSpec(settings, path), lists, findings)
    apis.push({ settings, path, entries: around, routes: routes.map((each) => withLast(each, around, brought.last)) })
    yield
  }
  const consumers = yield* planConsumers(document, lists)
  return { entries, apis, consumers, products: planProducts(document, lists) }
}

function* planConsumers(document: ConfigDocument, lists: PolicyLists): Steps<ConsumerPlan[]> {
  const consumers: ConsumerPlan[] = []
  for (const [index, settings] of document.consumers.entries()) {
    const path = ['consumers', index]
    const entries = lists.toEntries(settings.policies, [...path, 'policies'], `consumers/${settings.name}`)
    consumers.push({ settings, path, entries })
    yield
  }
  return consumers
}

function planProducts(document: ConfigDocument, lists: PolicyLists): ProductPlan[] {
  return document.products.map((settings, index) => {
    const path = ['products', index]
    const plans = settings.plans.map((plan, at) => {
      const owner = `products/${settings.name}/plans/${plan.name}`
      return { name: plan.name, entries: lists.toEntries(plan.policies, [...path, 'plans', at, 'policies'], owner) }
    })
    return { settings, path, plans }
  })
}

/** A route that answers by itself already keeps doing so. */
function withLast(route: RoutePlan, before: readonly Entry[], last: readonly Entry[]): RoutePlan {
  if (last.length === 0 || answersAll([...before, ...route.entries])) return route
  return { ...route, entries: [...route.entries, ...last] }
}
