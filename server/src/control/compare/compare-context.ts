/** What a comparison carries along: both documents, the findings, and bounds on what schemas may cost. */
import { childOf } from '../../config/findings.ts'
import type { KeyPath } from '../../config/issues.ts'
import { isTree, toTree, type Tree } from '../../config/openapi/json-tree.ts'
import { followReference, ReferenceFault, toPointer, type SpecFile } from '../../config/openapi/spec-files.ts'
import { compareRules, type CompareRule } from './compare-rules.ts'
import { SchemaComparison, type Direction } from './compare-schemas.ts'

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
  /** Parts of schemas and entries of operations that are looked at: documents can share parts so that copies explode. */
  readonly steps: number
}

export const defaultCompareLimits: CompareLimits = { changes: 1000, steps: 2_000_000 }

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
  private steps = 0
  private readonly schemas: Readonly<Record<Direction, SchemaComparison>>

  constructor(before: unknown, after: unknown, limits: CompareLimits) {
    this.before = new Side(before)
    this.after = new Side(after)
    this.limits = limits
    this.schemas = { request: new SchemaComparison(this, 'request'), response: new SchemaComparison(this, 'response') }
  }

  /** What was compared for one operation is not compared again for another, so a change of a shared part is told once. */
  compareSchemas(direction: Direction, before: unknown, after: unknown, path: KeyPath): void {
    this.schemas[direction].compare(before, after, path)
  }

  tell({ id, kind }: CompareRule, path: KeyPath, detail: string): void {
    const list = kind === 'breaking' ? this.breaking : this.safe
    if (list.length < this.limits.changes) list.push({ kind, rule: id, pointer: toPointer(path), detail })
  }

  /** Takes steps from what the comparison may cost. Once there are none left, that is told, and nothing more is compared. */
  spend(steps: number, path: KeyPath): boolean {
    const hadSome = this.steps <= this.limits.steps
    this.steps += steps
    if (this.steps <= this.limits.steps) return true
    if (hadSome) this.tell(compareRules.tooDeep, path, 'the document is too large to compare as a whole')
    return false
  }

  changes(): Change[] {
    return [...this.breaking, ...this.safe].slice(0, this.limits.changes)
  }
}
