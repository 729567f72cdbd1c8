/**
 * Imports in a process of its own: nobody waits for a document of megabytes, one that needs too much memory or time harms
 * nobody, and what it took goes back to the system.
 */
import { toThreadUrl } from '../../kernel/thread-url.ts'
import type { ImportOrder, ImportOutcome } from './import-child.ts'
import { ImportFindings } from './import-findings.ts'
import { defaultImportLimits } from './import-limits.ts'
import { textRules } from './import-rules.ts'
import { runInChild } from './run-in-child.ts'

/** Besides what fetching may take: a document of 47 MB takes two seconds. */
const MOST_WORK_MS = 60_000

/** Resolves with the document or what refuses it; rejects when importing itself failed. */
export async function importInChild(order: ImportOrder): Promise<ImportOutcome> {
  const entry = toThreadUrl('./import-child', import.meta.url)
  const mostMs = MOST_WORK_MS + (order.limits.fetchMs ?? defaultImportLimits.fetchMs)
  const result = await runInChild<ImportOutcome>({ entry, order, mostMs, what: 'import' })
  if (result.kind === 'done') return result.outcome
  const findings = new ImportFindings(1)
  findings.refuse(textRules.size, order.source, result.why)
  return { kind: 'refused', findings: findings.list() }
}
