/** Refuses names that refer to nothing, names given twice, and things that nothing refers to. */
import type { Standing } from './check-policies.ts'
import type { Findings } from './findings.ts'
import type { KeyPath } from './issues.ts'
import { suggest } from './nearest.ts'
import type { ApiPlan } from './route-plans.ts'
import type { ConfigDocument } from './schema/document.ts'

/** Reports names that stand twice in a list; `nameOf` may put several keys together. */
function checkUnique<Each>(
  list: readonly Each[],
  path: KeyPath,
  what: string,
  findings: Findings,
  nameOf: (each: Each) => string,
): void {
  const seen = new Map<string, number>()
  list.forEach((each, index) => {
    const other = seen.get(nameOf(each))
    if (other === undefined) {
      seen.set(nameOf(each), index)
      return
    }
    const otherPath = [...path, other, 'name']
    findings.report([...path, index, 'name'], `another ${what} has the same name`, { otherPath, hint: 'Rename one.' })
  })
}

/** Reports names that are given twice in one list. */
export function checkNames(
  { upstreams, apis, policyLists, consumers, products, certificates, webhooks }: ConfigDocument,
  findings: Findings,
): void {
  checkUnique(upstreams, ['upstreams'], 'upstream', findings, ({ name }) => name)
  checkUnique(apis, ['apis'], 'API of this version', findings, ({ name, version }) => `${name}/${version}`)
  checkUnique(policyLists, ['policyLists'], 'policy list', findings, ({ name }) => name)
  checkUnique(consumers, ['consumers'], 'consumer', findings, ({ name }) => name)
  checkUnique(products, ['products'], 'product', findings, ({ name }) => name)
  checkUnique(certificates, ['certificates'], 'certificate', findings, ({ name }) => name)
  checkUnique(webhooks, ['webhooks'], 'webhook', findings, ({ name }) => name)
  products.forEach(({ plans }, index) => {
    checkUnique(plans, ['products', index, 'plans'], 'plan of the product', findings, ({ name }) => name)
  })
}

/** Products and policy lists name APIs, consumers name products and plans. */
export function checkSubscriptions(
  { apis, policyLists, consumers, products }: ConfigDocument,
  findings: Findings,
): void {
  const apiNames = [...new Set(apis.map(({ name }) => name))]
  policyLists.forEach((list, index) => {
    const path = ['policyLists', index]
    if (!list.default && list.apis.length === 0) {
      findings.report(path, `the policy list ${list.name} holds for no API`, {
        hint: 'Add `apis`, or `default: true`.',
      })
    }
    list.apis.forEach((name, at) => refer(name, apiNames, [...path, 'apis', at], 'API', findings))
  })
  products.forEach((product, index) => {
    product.apis.forEach((name, at) => refer(name, apiNames, ['products', index, 'apis', at], 'API', findings))
  })
  const plans = new Map(products.map((product) => [product.name, product.plans.map(({ name }) => name)]))
  consumers.forEach((consumer, index) => {
    const seen = new Map<string, KeyPath>()
    consumer.subscriptions.forEach(({ product, plan }, at) => {
      const path = ['consumers', index, 'subscriptions', at]
      const otherPath = seen.get(product)
      if (otherPath !== undefined) {
        const hint = 'A consumer has one plan of a product; remove one of the two.'
        findings.report(path, 'the product is subscribed to twice', { otherPath, hint })
      }
      seen.set(product, path)
      if (!refer(product, [...plans.keys()], [...path, 'product'], 'product', findings)) return
      refer(plan, plans.get(product) ?? [], [...path, 'plan'], `plan of ${product}`, findings)
    })
  })
}

/** Routes name upstreams; one that no route uses is probably a slip, and one that is missing certainly is. */
export function checkUpstreamUse(
  document: ConfigDocument,
  apis: readonly ApiPlan[],
  standingOf: (routeId: string) => Standing | undefined,
  findings: Findings,
): void {
  const names = document.upstreams.map(({ name }) => name)
  const used = new Set<string>()
  for (const { settings, path, routes } of apis) {
    if (settings.upstream !== undefined) refer(settings.upstream, names, [...path, 'upstream'], 'upstream', findings)
    for (const route of routes) {
      const own = route.settings?.upstream
      if (own !== undefined) refer(own, names, [...route.path, 'upstream'], 'upstream', findings)
      const isAnswered = standingOf(route.id)?.answered !== undefined
      if (route.upstream !== undefined) {
        // A mock stands in for an upstream that is still meant.
        if (!isAnswered || settings.lifecycle?.state === 'mock') used.add(route.upstream)
      } else if (!isAnswered) {
        const hint = 'Add `upstream` to the route or its API, or a policy that answers every request.'
        findings.report(route.path, `the route ${JSON.stringify(route.name)} has no upstream`, { hint })
      }
    }
  }
  document.upstreams.forEach(({ name }, index) => {
    if (used.has(name)) return
    const hint = 'Name it in an API or a route, or remove it.'
    findings.report(['upstreams', index, 'name'], 'no route calls this upstream', { hint })
  })
}

function refer(name: string, known: readonly string[], path: KeyPath, what: string, findings: Findings): boolean {
  if (known.includes(name)) return true
  findings.report(path, `there is no ${what} ${findings.shown(path)}`, { hint: suggest(name, known) })
  return false
}
