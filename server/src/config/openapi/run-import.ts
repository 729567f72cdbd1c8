/** One order to import: the document is fetched when it was not given, imported, and written as JSON. */
import { FetchFault, type FetchFile } from './fetch-file.ts'
import { fetchFromFolder } from './folder-fetch.ts'
import type { ImportOrder, ImportOutcome } from './import-child.ts'
import { importDocument } from './import-document.ts'
import { ImportFindings } from './import-findings.ts'
import { defaultImportLimits } from './import-limits.ts'
import { proposeApi } from './propose-api.ts'
import { createRemoteFetch } from './remote-fetch.ts'

export async function runImport(order: ImportOrder): Promise<ImportOutcome> {
  const { text, mayFetch, hosts, limits } = order
  const isLocal = new URL(order.source).protocol === 'file:'
  const fetch = isLocal ? fetchFromFolder : createRemoteFetch(order)
  const found = text === undefined ? await fetchRoot(order, fetch) : { url: new URL(order.source), bytes: text }
  if ('kind' in found) return found
  const result = await importDocument(found.bytes, {
    source: found.url,
    fetch: mayFetch ? fetch : undefined,
    hosts,
    limits,
  })
  if (result.kind === 'refused') return result
  const { document, ...rest } = result
  return { ...rest, text: JSON.stringify(document), proposal: proposeApi(document, found.url) }
}

/** The document itself may be anywhere: somebody named its address. */
async function fetchRoot(
  { source, limits }: ImportOrder,
  fetch: FetchFile,
): Promise<{ readonly url: URL; readonly bytes: Uint8Array } | ImportOutcome> {
  const { fileBytes, fetchMs } = { ...defaultImportLimits, ...limits }
  try {
    return await fetch(new URL(source), { maxBytes: fileBytes, timeoutMs: fetchMs, allows: () => true })
  } catch (error) {
    if (!(error instanceof FetchFault)) throw error
    const findings = new ImportFindings(1)
    findings.refuse(error.rule, source, error.message)
    return { kind: 'refused', findings: findings.list() }
  }
}
