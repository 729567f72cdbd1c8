/**
 * Which certificates an environment has, and whose names they are: a name belongs to the settings of the gateways, or else to
 * the workspace that was first, and so do the names that a wildcard stands for.
 */
import type { Kysely } from 'kysely'
import { HEADER_KEY, type SnapshotHeader } from '../../config/snapshot-lines.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import { taken } from '../problems.ts'
import type { Resource } from '../resources/resource-store.ts'
import { documentOf } from '../resources/resource-view.ts'
import { withSecrets } from '../secrets/secret-values.ts'
import { DEFAULT_WORKSPACE } from '../snapshots/snapshot-names.ts'
import { chainOf, namesOf, readChain } from './read-certificate.ts'

/**
 * All of the installation, or those that count in an environment; the default workspace's first, then by name. `without`
 * is the id of a workspace whose own do not matter.
 */
async function readCertificates(db: Kysely<Tables>, environment: string | undefined, without?: string) {
  let query = db
    .selectFrom('resources')
    .innerJoin('workspaces', 'workspaces.id', 'resources.workspace_id')
    .selectAll('resources')
    .select('workspaces.name as workspace')
    .where('resources.kind', '=', 'certificate')
  if (environment !== undefined) query = query.where('resources.environment', 'in', ['', environment])
  if (without !== undefined) query = query.where('resources.workspace_id', '<>', without)
  const rows = await query.execute()
  const rank = (workspace: string): string => (workspace === DEFAULT_WORKSPACE ? '' : workspace)
  return rows.toSorted((a, b) => compare(rank(a.workspace), rank(b.workspace)) || compare(a.name, b.name))
}

/** Entries of `gateway.tls.certificates`, with their keys. A thing for the environment hides the one for all. */
export async function listenerCertificates(
  db: Kysely<Tables>,
  control: Control,
  environment: string,
): Promise<JsonObject[]> {
  const rows = await readCertificates(db, environment)
  const own = new Set(rows.filter((row) => row.environment !== '').map((row) => `${row.workspace_id} ${row.name}`))
  const entries: JsonObject[] = []
  for (const row of rows) {
    if (row.environment === '' && own.has(`${row.workspace_id} ${row.name}`)) continue
    const document = documentOf(row)
    const names = namesOf(document, readChain(chainOf(document)))
    const workspace = { id: row.workspace_id, name: row.workspace }
    const { chain = '', key = '' } = await withSecrets(db, control, workspace, document)
    entries.push({ cert: chain, key, names })
  }
  return entries
}

/**
 * Otherwise one tenant could answer TLS in the name of another, or of the installation. A renewed certificate keeps the names
 * that `before` had: what was put into the settings since is no reason to let it expire.
 */
export async function refuseClaimedNames(db: Kysely<Tables>, row: Resource, before?: Resource): Promise<void> {
  const kept = new Set(before === undefined ? [] : namesOfRow(before))
  const wanted = namesOfRow(row).filter((name) => !kept.has(name))
  const environment = row.environment === '' ? undefined : row.environment
  const findIn = (names: readonly string[]): string | undefined =>
    names.find((name) => wanted.some((each) => couldBeOne(each, name)))
  const inline = findIn(await inlineNames(db, environment))
  if (inline !== undefined) {
    refuse(taken({ detail: `The settings of the gateways have a certificate for ${inline}.` }))
  }
  for (const other of await readCertificates(db, environment, row.workspace_id)) {
    const claimed = findIn(namesOfRow(other))
    // Whose it is stays theirs to tell.
    if (claimed !== undefined) refuse(taken({ detail: `Another workspace has a certificate for ${claimed}.` }))
  }
}

/** Certificates that stand in the settings of gateways themselves. */
export function inlineCertificates({ tls }: JsonObject): readonly JsonValue[] {
  const given: JsonObject = isJsonObject(tls) ? tls : {}
  const { certificates } = given
  const list: readonly JsonValue[] = Array.isArray(certificates) ? certificates : []
  return list
}

/** Their names, from what was published: those of the settings come first there, and their references are resolved. */
async function inlineNames(db: Kysely<Tables>, environment: string | undefined): Promise<string[]> {
  let query = db.selectFrom('environments').select(['name', 'gateway'])
  if (environment !== undefined) query = query.where('name', '=', environment)
  const names: string[] = []
  for (const { name, gateway } of await query.execute()) {
    // Written by `gateway-settings.ts`, and so is the line.
    const count = inlineCertificates(JSON.parse(gateway) as JsonObject).length
    // The line of a listener with many certificates is large.
    const { line } = count === 0 ? { line: '' } : await readHeaderLine(db, name)
    if (line === '') continue
    const { listener } = JSON.parse(line) as SnapshotHeader
    const inline = listener.tls?.certificates.slice(0, count) ?? []
    names.push(...inline.flatMap((each) => each.names.map((text) => text.toLowerCase())))
  }
  return names
}

async function readHeaderLine(db: Kysely<Tables>, environment: string): Promise<{ readonly line: string }> {
  const row = await db
    .selectFrom('snapshot_lines')
    .select('line')
    .where('environment', '=', environment)
    .where('key', '=', HEADER_KEY)
    .executeTakeFirst()
  return row ?? { line: '' }
}

function namesOfRow(row: Resource): string[] {
  const document = documentOf(row)
  return namesOf(document, readChain(chainOf(document)))
}

/** As gateways choose: a wildcard stands for one label (RFC 9525 §6.3), and an exact name is preferred to it. */
function couldBeOne(left: string, right: string): boolean {
  return left === right || isBelow(left, right) || isBelow(right, left)
}

function isBelow(name: string, wildcard: string): boolean {
  return wildcard.startsWith('*.') && name.includes('.') && name.slice(name.indexOf('.')) === wildcard.slice(1)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
