/**
 * Imports in a process of its own: nobody waits for a document of megabytes, one that needs too much memory or time harms
 * nobody, and what it took goes back to the system.
 */
import { fork } from 'node:child_process'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { toThreadUrl } from '../../kernel/thread-url.ts'
import type { ImportOrder, ImportOutcome } from './import-child.ts'
import { ImportFindings } from './import-findings.ts'
import { defaultImportLimits } from './import-limits.ts'
import { textRules } from './import-rules.ts'

/** Traffic comes first, also where both share one core. */
const NICENESS = 5
const MAX_HEAP_MB = 3_072
/** Besides what fetching may take: a document of 47 MB takes two seconds. */
const MOST_WORK_MS = 60_000

/** Resolves with the document or what refuses it; rejects when importing itself failed. */
export function importInChild(order: ImportOrder): Promise<ImportOutcome> {
  return new Promise((resolve, reject) => {
    const entry = fileURLToPath(toThreadUrl('./import-child', import.meta.url))
    const child = fork(entry, {
      execArgv: [`--max-old-space-size=${MAX_HEAP_MB}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    if (child.pid !== undefined) setPriority(child.pid, NICENESS)
    const mostMs = MOST_WORK_MS + (order.limits.fetchMs ?? defaultImportLimits.fetchMs)
    let refusal: string | undefined
    const timer = setTimeout(() => {
      refusal = `takes more than ${mostMs} ms to import`
      child.kill('SIGKILL')
    }, mostMs)
    let told = false
    child.once('message', (outcome: ImportOutcome) => {
      told = true
      resolve(outcome)
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      if (told) return
      // V8 aborts a process that has used up its heap.
      if (signal === 'SIGABRT' || code === 134) refusal ??= `needs more than ${MAX_HEAP_MB} MB of memory to be imported`
      if (refusal !== undefined) resolve(toRefusal(order.source, refusal))
      else reject(new Error(`the process that imports a document ended early (${signal ?? code})`))
    })
    child.send(order)
  })
}

function toRefusal(file: string, message: string): ImportOutcome {
  const findings = new ImportFindings(1)
  findings.refuse(textRules.size, file, message)
  return { kind: 'refused', findings: findings.list() }
}
