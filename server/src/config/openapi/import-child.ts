/**
 * The process that imports a document: told of it by one message, answers with one, ends. The modules that it needs are
 * loaded after the cache of compiled modules is on.
 */
import { enableCompileCache } from 'node:module'
import type { DocumentVersion, ImportedOperation } from './import-document.ts'
import type { ImportFinding } from './import-findings.ts'
import type { ImportLimits } from './import-limits.ts'
import type { ApiProposal } from './propose-api.ts'

export interface ImportOrder {
  /** Address of the document, `https:` or `file:`. */
  readonly source: string
  /** The document; undefined: it is fetched from its address. */
  readonly text: string | undefined
  /** Whether anything but the text is read: without, references to other files are refused. */
  readonly mayFetch: boolean
  readonly allowPrivateAddresses: boolean
  readonly hosts: readonly string[]
  readonly limits: Partial<ImportLimits>
  /** Where compiled modules are kept between starts; empty: nowhere. */
  readonly cacheFolder: string
}

export type ImportOutcome =
  | {
      readonly kind: 'imported'
      /** The document as JSON. */
      readonly text: string
      readonly version: DocumentVersion
      /** Nothing was upgraded, bundled or mended. */
      readonly isAsWritten: boolean
      readonly operations: readonly ImportedOperation[]
      readonly proposal: ApiProposal
      readonly findings: readonly ImportFinding[]
    }
  | { readonly kind: 'refused'; readonly findings: readonly ImportFinding[] }

process.once('message', (order: ImportOrder) => {
  if (order.cacheFolder !== '') enableCompileCache(order.cacheFolder)
  void run(order).then((outcome) => {
    process.send?.(outcome, undefined, undefined, () => process.disconnect?.())
  })
})

async function run(order: ImportOrder): Promise<ImportOutcome> {
  const { runImport } = await import('./run-import.ts')
  return runImport(order)
}
