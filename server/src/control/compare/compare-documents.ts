/** Two versions of a document to what changed for those who call the API, breaking changes first. */
import { toPathShape } from '../../config/route-path.ts'
import { parameterNamesOf } from '../../kernel/path-template.ts'
import type { KeyPath } from '../../config/issues.ts'
import { isTree, toTree, type Tree } from '../../config/openapi/json-tree.ts'
import { Comparison, defaultCompareLimits, type Change, type CompareLimits, type Side } from './compare-context.ts'
import { compareOperations, type ComparedOperation } from './compare-operations.ts'
import { compareRules } from './compare-rules.ts'

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

export function compareDocuments(before: unknown, after: unknown, limits: Partial<CompareLimits> = {}): Change[] {
  const comparison = new Comparison(before, after, { ...defaultCompareLimits, ...limits })
  const old = listOperations(comparison.before)
  const next = listOperations(comparison.after)
  for (const [key, operation] of old) {
    const successor = next.get(key)
    if (successor === undefined)
      comparison.tell(compareRules.operationRemoved, operation.path, `${operation.title} is gone`)
    else compareOperations(operation, successor, comparison)
  }
  for (const [key, operation] of next) {
    if (!old.has(key)) comparison.tell(compareRules.operationAdded, operation.path, `${operation.title} is new`)
  }
  return comparison.changes()
}

/** By method and shape of the path: callers do not see the names of its parameters. */
function listOperations(side: Side): Map<string, ComparedOperation> {
  const operations = new Map<string, ComparedOperation>()
  for (const [path, written] of Object.entries(toTree(side.root['paths']))) {
    if (path.startsWith('x-')) continue
    const item = side.follow(written)
    for (const method of METHODS) {
      const value = item[method]
      if (!isTree(value)) continue
      const at: KeyPath = ['paths', path, method]
      operations.set(`${method} ${toPathShape(path)}`, toCompared(side, { path, method, item, value, at }))
    }
  }
  return operations
}

interface Found {
  readonly path: string
  readonly method: string
  readonly item: Tree
  readonly value: Tree
  readonly at: KeyPath
}

function toCompared(side: Side, { path, method, item, value, at }: Found): ComparedOperation {
  const security = value['security'] ?? side.root['security']
  return {
    title: `${method.toUpperCase()} ${path}`,
    path: at,
    value,
    shared: item['parameters'],
    parameterNames: parameterNamesOf(path),
    security: Array.isArray(security) ? security.map(toTree) : [],
  }
}
