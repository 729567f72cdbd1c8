/** Which certificates an environment has, and whose names they are: a name belongs to the workspace that was first. */
import type { Kysely } from 'kysely'
import type { JsonObject } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import { taken } from '../problems.ts'
import type { Resource } from '../resources/resource-store.ts'
import { documentOf } from '../resources/resource-view.ts'
import { withSecrets } from '../secrets/secret-values.ts'
import { DEFAULT_WORKSPACE } from '../snapshots/snapshot-names.ts'
import { chainOf, namesOf, readChain } from './read-certificate.ts'

/** All of the installation, or those that count in an environment; the default workspace's first, then by name. */
async function readCertificates(db: Kysely<Tables>, environment: string | undefined) {
  let query = db
    .selectFrom('resources')
    .innerJoin('workspaces', 'workspaces.id', 'resources.workspace_id')
    .selectAll('resources')
    .select('workspaces.name as workspace')
    .where('resources.kind', '=', 'certificate')
  if (environment !== undefined) query = query.where('resources.environment', 'in', ['', environment])
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

/** Otherwise one tenant could answer TLS in the name of another. */
export async function refuseClaimedNames(db: Kysely<Tables>, row: Resource): Promise<void> {
  const document = documentOf(row)
  const wanted = new Set(namesOf(document, readChain(chainOf(document))))
  for (const other of await readCertificates(db, row.environment === '' ? undefined : row.environment)) {
    if (other.workspace_id === row.workspace_id) continue
    const theirs = documentOf(other)
    const claimed = namesOf(theirs, readChain(chainOf(theirs))).find((name) => wanted.has(name))
    // Whose it is stays theirs to tell.
    if (claimed !== undefined) refuse(taken({ detail: `Another workspace has a certificate for ${claimed}.` }))
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
