/** What somebody sends as an OpenAPI document, to the document that is kept: within bounds, or refused with rule, pointer and remedy. */
import type { ImportOrder, ImportOutcome } from '../../config/openapi/import-child.ts'
import type { ImportFinding } from '../../config/openapi/import-findings.ts'
import { importInChild } from '../../config/openapi/import-in-child.ts'
import { runImport } from '../../config/openapi/run-import.ts'
import type { ProblemError } from '../../kernel/problem.ts'
import { refuse } from '../control-error.ts'
import type { Call } from '../define-route.ts'
import { hashBlob } from '../versions/version-store.ts'
import { documentRefused } from './document-problems.ts'
import { inChildTurn } from './in-child-turn.ts'

export type Imported = Extract<ImportOutcome, { kind: 'imported' }>

type ImportCall = Pick<Call, 'control' | 'workspace'>

/** Up to this size a document is imported at once: a process for it would take longer than the work. */
const MOST_BYTES_AT_ONCE = 64 * 1024
/** What changed nothing stays as it was written, with its comments, up to this size; more is read too often as YAML. */
const MOST_KEPT_BYTES = 256 * 1024
const MOST_ERRORS = 50

/** Address of a document that was sent: it is relative to nothing, so that references elsewhere are refused. */
const SENT = 'https://document.invalid/openapi'

/** A document as text; its references to other files are refused. */
export async function importText({ control, workspace }: ImportCall, text: string): Promise<Imported> {
  const order = { ...orderOf(control), source: SENT, text, mayFetch: false }
  const isSmall = Buffer.byteLength(text) <= MOST_BYTES_AT_ONCE
  const outcome = isSmall ? await runImport(order) : await inChildTurn(() => importInChild(order), workspace.id)
  return keepWriting(accept(outcome), text)
}

/** A document at an address, with the files beside it, fetched by this process within bounds. */
export async function importAddress({ control, workspace }: ImportCall, address: string): Promise<Imported> {
  const order = { ...orderOf(control), source: address, text: undefined, mayFetch: true }
  return accept(await inChildTurn(() => importInChild(order), workspace.id))
}

/** As `importText`, unless the text is kept already: then it came out of an import. */
export async function importOnce(call: ImportCall & Pick<Call, 'db'>, text: string): Promise<string> {
  const known = await call.db.selectFrom('blobs').select('hash').where('hash', '=', hashBlob(text)).executeTakeFirst()
  return known === undefined ? (await importText(call, text)).text : text
}

function orderOf({ documents }: Call['control']): Omit<ImportOrder, 'source' | 'text' | 'mayFetch'> {
  return { ...documents, limits: {} }
}

function accept(outcome: ImportOutcome): Imported {
  if (outcome.kind === 'imported') return outcome
  const errors = outcome.findings.slice(0, MOST_ERRORS).map(toError)
  return refuse(documentRefused({ detail: errors[0]?.detail ?? 'The document is refused.', errors }))
}

/** Servers relative to an address that nobody named lead nowhere. */
function keepWriting(imported: Imported, text: string): Imported {
  const servers = imported.proposal.servers.filter((url) => !url.startsWith(new URL(SENT).origin))
  const own = { ...imported, proposal: { ...imported.proposal, servers } }
  return imported.isAsWritten && text.length <= MOST_KEPT_BYTES ? { ...own, text } : own
}

function toError({ rule, file, pointer, message, remedy }: ImportFinding): ProblemError {
  const place = file === SENT ? '' : `${file}: `
  return { pointer, rule, detail: `${place}${message}`, remedy }
}
