/** What an import found: every finding with its rule, its pointer in its file, and how to mend it. */
import type { KeyPath } from '../issues.ts'
import type { Breach, DocumentRule } from './document-rules.ts'
import { toPointer } from './spec-files.ts'

export interface ImportFinding {
  readonly rule: string
  readonly outcome: DocumentRule['outcome']
  /** Address or path of the file. */
  readonly file: string
  /** JSON pointer in the file, such as `#/paths/~1books/get`. */
  readonly pointer: string
  readonly message: string
  readonly remedy: string
}

export class ImportFindings {
  private readonly found: ImportFinding[] = []
  private readonly most: number
  private refusals = 0

  constructor(most: number) {
    this.most = most
  }

  get isRefused(): boolean {
    return this.refusals > 0
  }

  /** Refusals first, since they are what has to be mended; of more than the bound, the rest is left out. */
  list(): ImportFinding[] {
    const rank = { refused: 0, mended: 1, noted: 2 }
    return this.found.toSorted((a, b) => rank[a.outcome] - rank[b.outcome]).slice(0, this.most)
  }

  add({ rule, pointer, message, remedy }: Breach, file: string): void {
    if (rule.outcome === 'refused') this.refusals++
    // Room for refusals is kept: they come after what was mended.
    const isKept = rule.outcome === 'refused' ? this.refusals <= this.most : this.found.length < this.most
    if (!isKept) return
    const { id, outcome } = rule
    this.found.push({ rule: id, outcome, file, pointer: toPointer(pointer), message, remedy: remedy ?? rule.remedy })
  }

  refuse(rule: DocumentRule, file: string, message: string, pointer: KeyPath = []): void {
    this.add({ rule, pointer, message }, file)
  }
}
