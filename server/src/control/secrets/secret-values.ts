/** Secrets of a workspace: sealed in the store, opened only where a snapshot is made. */
import type { Kysely } from 'kysely'
import type { JsonObject } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import type { WorkspaceRef } from '../define-route.ts'
import { invalid } from '../problems.ts'
import { findResource, insertResource, replaceResource, type Resource } from '../resources/resource-store.ts'
import { insertSecrets, referredSecrets, type FoundSecret } from '../resources/secret-references.ts'

/** Puts a secret in, or its new value over the old one. */
export async function writeSecret(
  db: Kysely<Tables>,
  control: Control,
  workspace: WorkspaceRef,
  { name, value }: FoundSecret,
  by: string,
): Promise<void> {
  if (await isKnownSecret(db, control, workspace, { name, value })) return
  const nowMs = control.clock.now()
  const shelf = { workspaceId: workspace.id, kind: 'secret', parentId: '' }
  const spec = JSON.stringify({ sealed: control.keys.seal(value, aboutSecret(workspace, name)) })
  const known = await findResource(db, shelf, name)
  if (known !== undefined) {
    await replaceResource(db, known, { spec, updated_by: by, updated_at_ms: nowMs }, undefined)
    return
  }
  await insertResource(db, {
    id: control.newId('secret'),
    workspace_id: workspace.id,
    kind: 'secret',
    parent_id: '',
    environment: '',
    name,
    spec,
    search: name.toLowerCase(),
    source: '',
    updated_by: by,
    version: 1,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  })
}

/** Whether a secret has this very value already. */
export async function isKnownSecret(
  db: Kysely<Tables>,
  control: Control,
  workspace: WorkspaceRef,
  { name, value }: FoundSecret,
): Promise<boolean> {
  const row = await findResource(db, { workspaceId: workspace.id, kind: 'secret', parentId: '' }, name)
  const sealed = row === undefined ? '' : readSealed(row.spec)
  return sealed !== '' && control.keys.open(sealed, aboutSecret(workspace, name)) === value
}

/** The document with the values of its secrets; refuses, and names it, when one has none. */
export async function withSecrets(
  db: Kysely<Tables>,
  control: Control,
  workspace: WorkspaceRef,
  document: JsonObject,
): Promise<JsonObject> {
  const names = [...referredSecrets(JSON.stringify(document))]
  if (names.length === 0) return document
  const rows = await db
    .selectFrom('resources')
    .select(['name', 'spec'])
    .where('workspace_id', '=', workspace.id)
    .where('kind', '=', 'secret')
    .where('name', 'in', names)
    .execute()
  const sealed = new Map(rows.map(({ name, spec }) => [name, readSealed(spec)]))
  // What is put into an object comes out as one.
  return insertSecrets(document, (name) => {
    const value = sealed.get(name) ?? ''
    if (value !== '') return control.keys.open(value, aboutSecret(workspace, name))
    return refuse(invalid({ detail: `The secret ${JSON.stringify(name)} has no value. Set it, then do this again.` }))
  }) as JsonObject
}

/** Whether somebody has given it a value. */
export function hasValue({ spec }: Pick<Resource, 'spec'>): boolean {
  return readSealed(spec) !== ''
}

/** What a sealed value belongs to. */
export function aboutSecret(workspace: Pick<WorkspaceRef, 'id'>, name: string): string {
  return `secret ${workspace.id} ${name}`
}

function readSealed(spec: string): string {
  // Written by `writeSecret`; a secret without a value has an empty text.
  return (JSON.parse(spec) as { readonly sealed: string }).sealed
}
