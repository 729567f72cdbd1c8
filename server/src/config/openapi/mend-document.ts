/**
 * Mends what real documents have wrong and what has one obvious meaning, in the document itself: nobody who imports the
 * document of somebody else can do it for them.
 */
import type { KeyPath } from '../issues.ts'
import { suggestNearest } from '../nearest.ts'
import type { Breach } from './document-rules.ts'
import { operationRules } from './import-rules.ts'
import { isTree } from './json-tree.ts'
import { ITEM_KEYS, METHODS } from './list-operations.ts'

type Changeable = Record<string, unknown>

/** More characters are no name, and make paths of routes and metrics long. */
const MOST_ID_CHARS = 500

export function mendDocument(document: unknown, report: (breach: Breach) => void): void {
  const paths: unknown = isTree(document) ? document['paths'] : undefined
  if (!isChangeable(paths)) return
  const ids = new Set<string>()
  for (const [path, item] of Object.entries(paths)) {
    if (path.startsWith('x-') || !isChangeable(item)) continue
    mendKeys(item, ['paths', path], report)
    for (const method of METHODS) {
      const operation: unknown = item[method]
      if (isChangeable(operation)) mendId(operation, ['paths', path, method], ids, report)
    }
  }
}

/** A key that looks like a method stays: leaving it out would leave out an operation. */
function mendKeys(item: Changeable, pointer: KeyPath, report: (breach: Breach) => void): void {
  for (const key of Object.keys(item)) {
    const isMethod = METHODS.includes(key)
    if (key.startsWith('x-') || ITEM_KEYS.includes(key) || (isMethod && isTree(item[key]))) continue
    if (!isMethod && isTree(item[key]) && suggestNearest(key, METHODS) !== undefined) continue
    Reflect.deleteProperty(item, key)
    const message = isMethod ? `the operation ${key} is not a map of keys` : `the key ${key} of a path is not known`
    report({ rule: operationRules.keyRemoved, pointer: [...pointer, key], message })
  }
}

function mendId(operation: Changeable, pointer: KeyPath, ids: Set<string>, report: (breach: Breach) => void): void {
  const id = operation['operationId']
  if (id === undefined) return
  const at = [...pointer, 'operationId']
  if (typeof id !== 'string' || id === '' || id.length > MOST_ID_CHARS || /[\0-\x1f\x7f]/.test(id)) {
    Reflect.deleteProperty(operation, 'operationId')
    report({ rule: operationRules.idRemoved, pointer: at, message: 'the operationId cannot be a name' })
    return
  }
  let name = id
  for (let count = 2; ids.has(name); count++) name = `${id}_${count}`
  ids.add(name)
  if (name === id) return
  operation['operationId'] = name
  report({
    rule: operationRules.idRenamed,
    pointer: at,
    message: `${JSON.stringify(id)} stands twice, and is ${JSON.stringify(name)} here`,
  })
}

function isChangeable(value: unknown): value is Changeable {
  return isTree(value)
}
