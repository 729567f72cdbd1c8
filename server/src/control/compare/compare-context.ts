/** What a comparison carries along: both documents, the findings, and bounds on what schemas may cost. */
import { childOf } from '../../config/findings.ts'
import type { KeyPath } from '../../config/issues.ts'
import { isTree, toTree, type Tree } from '../../config/openapi/json-tree.ts'
import { followReference, ReferenceFault, toPointer, type SpecFile } from '../../config/openapi/spec-files.ts'
import type { CompareRule } from './compare-rules.ts'

export interface Change {
  readonly kind: 'breaking' | 'safe'
  readonly rule: string
  /** Where it stands: in the new document, or in the old one for what is gone. */
  readonly pointer: string
  readonly detail: string
}

export interface CompareLimits {
  /** Changes that are told; breaking ones come first. */
  readonly changes: number
  /** Pairs of schemas that are compared. */
  readonly schemas: number
}

export const defaultCompareLimits: CompareLimits = { changes: 1000, schemas: 500_000 }

/** References in a row that are followed. */
const MOST_STEPS = 20

/** One of the two documents. */
export class Side {
  readonly root: Tree
  private readonly file: SpecFile

  constructor(document: unknown) {
    this.root = toTree(document)
    const place = { file: '', line: 1, column: 1 }
    const source = {
      file: '',
      value: document,
      hasAliases: false,
      place: () => place,
      owns: () => false,
      isSubstituted: () => false,
    }
    this.file = { source, value: document }
  }

  /** What a value is when its references are followed; nothing when they lead nowhere. */
  follow(value: unknown): Tree {
    let at = value
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const reference = childOf(at, '$ref')
      if (typeof reference !== 'string') return isTree(at) ? at : {}
      try {
        at = followReference(reference, this.file, () => this.file).value
      } catch (error) {
        if (!(error instanceof ReferenceFault)) throw error
        return {}
      }
    }
    return {}
  }
}

export class Comparison {
  readonly before: Side
  readonly after: Side
  private readonly limits: CompareLimits
  private readonly breaking: Change[] = []
  private readonly safe: Change[] = []
  private schemas = 0

  constructor(before: unknown, after: unknown, limits: CompareLimits) {
    this.before = new Side(before)
    this.after = new Side(after)
    this.limits = limits
  }

  tell({ id, kind }: CompareRule, path: KeyPath, detail: string): void {
    const list = kind === 'breaking' ? this.breaking : this.safe
    if (list.length < this.limits.changes) list.push({ kind, rule: id, pointer: toPointer(path), detail })
  }

  /** Whether another pair of schemas may be compared; counts it. */
  mayCompareSchema(): boolean {
    this.schemas++
    return this.schemas <= this.limits.schemas
  }

  changes(): Change[] {
    return [...this.breaking, ...this.safe].slice(0, this.limits.changes)
  }
}
