/** Two versions of one operation: its parameters, body, answers and security. */
import type { KeyPath } from '../../config/issues.ts'
import { listOf, toTree, type Tree } from '../../config/openapi/json-tree.ts'
import type { Comparison, Side } from './compare-context.ts'
import { compareRules } from './compare-rules.ts'
import type { Direction } from './compare-schemas.ts'
import { compareSecurity } from './compare-security.ts'

export interface ComparedOperation {
  /** Method and path, for people. */
  readonly title: string
  readonly path: KeyPath
  readonly value: Tree
  /** Parameters of the path item. */
  readonly shared: unknown
  /** Names in the path, in their order. */
  readonly parameterNames: readonly string[]
  readonly security: readonly Tree[]
}

export function compareOperations(before: ComparedOperation, after: ComparedOperation, comparison: Comparison): void {
  if (before.value['deprecated'] !== true && after.value['deprecated'] === true) {
    comparison.tell(compareRules.operationDeprecated, after.path, `${after.title} is deprecated`)
  }
  if (!comparison.spend(countEntries(before) + countEntries(after), after.path)) return
  compareParameters(before, after, comparison)
  compareBodies(before, after, comparison)
  compareResponses(before, after, comparison)
  compareSecurity(before, after, comparison)
}

/** What comparing the operations themselves costs: path items can be shared, so that it is more than what is written. */
function countEntries({ value, shared }: ComparedOperation): number {
  return 1 + listOf(shared).length + listOf(value['parameters']).length + Object.keys(toTree(value['responses'])).length
}

interface Parameter {
  readonly title: string
  readonly path: KeyPath
  readonly value: Tree
}

function compareParameters(before: ComparedOperation, after: ComparedOperation, comparison: Comparison): void {
  const old = listParameters(before, comparison.before)
  const next = listParameters(after, comparison.after)
  for (const [key, parameter] of old) {
    const successor = next.get(key)
    if (successor !== undefined) compareParameter(parameter, successor, comparison)
    else comparison.tell(compareRules.parameterRemoved, parameter.path, `${parameter.title} of ${before.title} is gone`)
  }
  for (const [key, parameter] of next) {
    if (old.has(key)) continue
    const rule = isRequired(parameter.value) ? compareRules.parameterRequiredAdded : compareRules.parameterAdded
    comparison.tell(rule, parameter.path, `${parameter.title} of ${after.title} is new`)
  }
}

/** Those of the path by where they stand in it, all others by place and name; an operation's own replace the path's. */
function listParameters(
  { value, shared, path, parameterNames }: ComparedOperation,
  side: Side,
): Map<string, Parameter> {
  const parameters = new Map<string, Parameter>()
  const add = (list: unknown, at: KeyPath): void => {
    for (const [index, each] of listOf(list).entries()) {
      const parameter = side.follow(each)
      const place = String(parameter['in'])
      const name = String(parameter['name'])
      const written = place === 'header' ? name.toLowerCase() : name
      const key = place === 'path' ? `path ${parameterNames.indexOf(name)}` : `${place} ${written}`
      parameters.set(key, {
        title: `the ${place} parameter ${name}`,
        path: [...at, 'parameters', index],
        value: parameter,
      })
    }
  }
  add(shared, path.slice(0, -1))
  add(value['parameters'], path)
  return parameters
}

function isRequired(parameter: Tree): boolean {
  return parameter['required'] === true || parameter['in'] === 'path'
}

function compareParameter(before: Parameter, after: Parameter, comparison: Comparison): void {
  const { title, path } = after
  if (!isRequired(before.value) && isRequired(after.value))
    comparison.tell(compareRules.parameterRequired, path, `${title} is required`)
  if (isRequired(before.value) && !isRequired(after.value))
    comparison.tell(compareRules.parameterOptional, path, `${title} is optional`)
  if (toWriting(before.value) !== toWriting(after.value))
    comparison.tell(compareRules.parameterStyle, path, `${title} is written in another way`)
  const [old, next] = [before.value['schema'], after.value['schema']]
  comparison.compareSchemas('request', old, next, [...path, 'schema'])
  compareContents(
    toTree(before.value['content']),
    toTree(after.value['content']),
    [...path, 'content'],
    'request',
    comparison,
  )
}

/** How a value is written (OpenAPI 3.1 §4.8.12.2), with the defaults of its place. */
function toWriting({ in: place, style, explode, content }: Tree): string {
  const used = typeof style === 'string' ? style : place === 'query' || place === 'cookie' ? 'form' : 'simple'
  const isSpread = typeof explode === 'boolean' ? explode : used === 'form'
  return content === undefined ? `${used} ${isSpread}` : 'content'
}

function compareBodies(before: ComparedOperation, after: ComparedOperation, comparison: Comparison): void {
  const [old, next] = [
    comparison.before.follow(before.value['requestBody']),
    comparison.after.follow(after.value['requestBody']),
  ]
  const hadBody = Object.keys(old).length > 0
  const hasBody = Object.keys(next).length > 0
  const required = next['required'] === true
  const path = [...after.path, 'requestBody']
  if (hadBody && !hasBody)
    comparison.tell(compareRules.bodyRemoved, [...before.path, 'requestBody'], `${after.title} has no body`)
  if (!hadBody && hasBody) {
    comparison.tell(
      required ? compareRules.bodyRequiredAdded : compareRules.bodyAdded,
      path,
      `${after.title} has a body`,
    )
  }
  if (!hadBody || !hasBody) return
  if (old['required'] !== true && required)
    comparison.tell(compareRules.bodyRequired, path, `${after.title} needs a body`)
  if (old['required'] === true && !required)
    comparison.tell(compareRules.bodyOptional, path, `${after.title} needs no body`)
  compareContents(toTree(old['content']), toTree(next['content']), [...path, 'content'], 'request', comparison)
}

function compareContents(before: Tree, after: Tree, path: KeyPath, side: Direction, comparison: Comparison): void {
  const isRequest = side === 'request'
  for (const [type, old] of Object.entries(before)) {
    if (!Object.hasOwn(after, type)) {
      const rule = isRequest ? compareRules.requestMediaRemoved : compareRules.responseMediaRemoved
      comparison.tell(rule, [...path, type], `${type} is gone`)
      continue
    }
    const [was, is] = [toTree(old)['schema'], toTree(after[type])['schema']]
    comparison.compareSchemas(side, was, is, [...path, type, 'schema'])
  }
  for (const type of Object.keys(after)) {
    if (Object.hasOwn(before, type)) continue
    const rule = isRequest ? compareRules.requestMediaAdded : compareRules.responseMediaAdded
    comparison.tell(rule, [...path, type], `${type} is new`)
  }
}

function compareResponses(before: ComparedOperation, after: ComparedOperation, comparison: Comparison): void {
  const [old, next] = [toTree(before.value['responses']), toTree(after.value['responses'])]
  const isStatus = (key: string): boolean => !key.startsWith('x-')
  for (const [status, written] of Object.entries(old)) {
    if (!isStatus(status)) continue
    if (!Object.hasOwn(next, status)) {
      const rule = /^[23]/.test(status) ? compareRules.responseRemoved : compareRules.errorRemoved
      comparison.tell(rule, [...before.path, 'responses', status], `the answer ${status} of ${before.title} is gone`)
      continue
    }
    const [was, is] = [comparison.before.follow(written), comparison.after.follow(next[status])]
    const path = [...after.path, 'responses', status]
    compareHeaders(was, is, path, comparison)
    compareContents(toTree(was['content']), toTree(is['content']), [...path, 'content'], 'response', comparison)
  }
  for (const status of Object.keys(next)) {
    if (!isStatus(status) || Object.hasOwn(old, status)) continue
    comparison.tell(
      compareRules.responseAdded,
      [...after.path, 'responses', status],
      `the answer ${status} of ${after.title} is new`,
    )
  }
}

/** Names of fields have no case (RFC 9110 §5.1). */
function compareHeaders(before: Tree, after: Tree, path: KeyPath, comparison: Comparison): void {
  const listed = (response: Tree): Map<string, [string, unknown]> =>
    new Map(Object.entries(toTree(response['headers'])).map(([name, value]) => [name.toLowerCase(), [name, value]]))
  const [old, next] = [listed(before), listed(after)]
  for (const [key, [name, written]] of old) {
    const successor = next.get(key)
    if (successor === undefined) {
      comparison.tell(compareRules.headerRemoved, [...path, 'headers', name], `the header ${name} is gone`)
      continue
    }
    const at = [...path, 'headers', successor[0]]
    const [was, is] = [comparison.before.follow(written), comparison.after.follow(successor[1])]
    if (was['required'] === true && is['required'] !== true)
      comparison.tell(compareRules.headerOptional, at, `${name} may be missing`)
    comparison.compareSchemas('response', was['schema'], is['schema'], [...at, 'schema'])
  }
  for (const [key, [name]] of next) {
    if (!old.has(key))
      comparison.tell(compareRules.headerAdded, [...path, 'headers', name], `the header ${name} is new`)
  }
}
