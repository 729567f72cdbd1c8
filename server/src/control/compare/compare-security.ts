/** Ways to authenticate: each requirement of the list is one, and asks for all that stands in it (OpenAPI 3.1 §4.8.30). */
import { textsOf, type Tree } from '../../config/openapi/json-tree.ts'
import type { Comparison } from './compare-context.ts'
import type { ComparedOperation } from './compare-operations.ts'
import { compareRules } from './compare-rules.ts'

export function compareSecurity(before: ComparedOperation, after: ComparedOperation, comparison: Comparison): void {
  const path = [...after.path, 'security']
  const wasOpen = isOpen(before.security)
  const isOpenNow = isOpen(after.security)
  if (wasOpen && !isOpenNow) comparison.tell(compareRules.securityAdded, path, `${after.title} asks who is calling`)
  if (!wasOpen && isOpenNow) comparison.tell(compareRules.securityRemoved, path, `${after.title} is open to everybody`)
  if (wasOpen || isOpenNow) return
  for (const way of before.security) {
    if (!after.security.some((each) => asksNoMore(each, way))) {
      comparison.tell(compareRules.securityChanged, path, `${after.title} does not take ${describe(way)} any more`)
    }
  }
  for (const way of after.security) {
    if (!before.security.some((each) => asksNoMore(each, way) || asksNoMore(way, each))) {
      comparison.tell(compareRules.securityWay, path, `${after.title} takes ${describe(way)}, too`)
    }
  }
}

/** Without a list, or with an empty requirement in it, nobody has to authenticate. */
function isOpen(security: readonly Tree[]): boolean {
  return security.length === 0 || security.some((way) => Object.keys(way).length === 0)
}

/** Whether whoever meets `known` meets `way` as well. */
function asksNoMore(way: Tree, known: Tree): boolean {
  return Object.entries(way).every(([scheme, scopes]) => {
    if (!Object.hasOwn(known, scheme)) return false
    const given = textsOf(known[scheme])
    return textsOf(scopes).every((scope) => given.includes(scope))
  })
}

function describe(way: Tree): string {
  return Object.entries(way)
    .map(([scheme, scopes]) => [scheme, ...textsOf(scopes)].join(' '))
    .join(' with ')
}
