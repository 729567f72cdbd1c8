/** A document as rules look at it: its operations, and what references lead to. */
import { childOf } from '../../config/findings.ts'
import type { KeyPath } from '../../config/issues.ts'
import { isTree, listOf, toTree, type Tree } from '../../config/openapi/json-tree.ts'

export interface LintOperation {
  readonly path: string
  readonly method: string
  readonly at: KeyPath
  readonly value: Tree
  /** Its parameters and those of its path, references followed. */
  readonly parameters: readonly { readonly value: Tree; readonly at: KeyPath }[]
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

export class LintView {
  readonly document: Tree
  readonly operations: readonly LintOperation[]

  constructor(document: unknown) {
    this.document = toTree(document)
    this.operations = this.listOperations()
  }

  /** What a local reference leads to; undefined when nothing is there. */
  lookUp(reference: string): unknown {
    if (!reference.startsWith('#')) return undefined
    if (reference === '#') return this.document
    if (!reference.startsWith('#/')) return undefined
    const keys = reference
      .slice(2)
      .split('/')
      .map((token) => decode(token).replaceAll('~1', '/').replaceAll('~0', '~'))
    return keys.reduce<unknown>(childOf, this.document)
  }

  /** A value with its references followed; nothing when they lead nowhere or in a circle. */
  follow(value: unknown): Tree {
    let at = value
    for (let steps = 0; steps < 20; steps++) {
      const reference = childOf(at, '$ref')
      if (typeof reference !== 'string') return toTree(at)
      at = this.lookUp(reference)
    }
    return {}
  }

  private listOperations(): LintOperation[] {
    const { paths } = this.document
    return Object.entries(toTree(paths)).flatMap(([path, written]) => {
      const item = this.follow(written)
      if (path.startsWith('x-')) return []
      return METHODS.flatMap((method) => {
        const value = item[method]
        if (!isTree(value)) return []
        const at = ['paths', path, method]
        const shared = this.listParameters(item['parameters'], ['paths', path])
        return [{ path, method, at, value, parameters: [...shared, ...this.listParameters(value['parameters'], at)] }]
      })
    })
  }

  private listParameters(list: unknown, at: KeyPath): { value: Tree; at: KeyPath }[] {
    return listOf(list).map((each, index) => ({ value: this.follow(each), at: [...at, 'parameters', index] }))
  }
}

function decode(token: string): string {
  try {
    return decodeURIComponent(token)
  } catch {
    // A stray percent sign is no encoding.
    return token
  }
}
