/** Secrets of a workspace, and of the settings of gateways: sealed in the store, opened only where a snapshot is made. */
import type { Kysely } from 'kysely'
import type { JsonObject } from '../../kernel/json.ts'
import type { Tables } from '../../db/tables.ts'
import { refuse } from '../control-error.ts'
import type { Control } from '../control.ts'
import { invalid } from '../problems.ts'
import {
  findResource,
  insertResource,
  replaceResource,
  type Resource,
  type Shelf,
} from '../resources/resource-store.ts'
import { insertSecrets, referredSecrets, type FoundSecret } from '../resources/secret-references.ts'

/** All kinds of rows that hold a sealed value. */
export const SECRET_KINDS = ['secret', 'gateway-secret'] as const

/** Whose secrets are meant. */
export interface SecretOwner {
  /** Id of the workspace. */
  readonly id: string
  /**
   * Those of gateway settings are the installation's: they lie apart from a workspace's own, so that no document refers
   * to them and no operation on secrets finds them.
   */
  readonly secretKind?: (typeof SECRET_KINDS)[number]
}

/** Puts secrets in, or their new values over the old ones; whether there was anything new in them. */
export async function writeSecrets(
  db: Kysely<Tables>,
  control: Control,
  owner: SecretOwner,
  secrets: readonly FoundSecret[],
  by: string,
): Promise<boolean> {
  let hasNew = false
  for (const secret of secrets) hasNew = (await writeSecret(db, control, owner, secret, by)) || hasNew
  return hasNew
}

/** The same for one. */
export async function writeSecret(
  db: Kysely<Tables>,
  control: Control,
  owner: SecretOwner,
  { name, value }: FoundSecret,
  by: string,
): Promise<boolean> {
  if (await isKnownSecret(db, control, owner, { name, value })) return false
  const nowMs = control.clock.now()
  const shelf = toSecretShelf(owner)
  const spec = JSON.stringify({ sealed: control.keys.seal(value, aboutSecret(owner, name)) })
  const known = await findResource(db, shelf, name)
  if (known !== undefined) {
    await replaceResource(db, known, { spec, updated_by: by, updated_at_ms: nowMs }, undefined)
    return true
  }
  await insertResource(db, {
    id: control.newId('secret'),
    workspace_id: owner.id,
    kind: shelf.kind,
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
  return true
}

/** Whether a secret has this very value already. */
export async function isKnownSecret(
  db: Kysely<Tables>,
  control: Control,
  owner: SecretOwner,
  { name, value }: FoundSecret,
): Promise<boolean> {
  const row = await findResource(db, toSecretShelf(owner), name)
  const sealed = row === undefined ? '' : readSealed(row.spec)
  return sealed !== '' && control.keys.open(sealed, aboutSecret(owner, name)) === value
}

/** Values of the secrets that are named after something, by name; without those that nobody has given one. */
export async function readSecretValues(
  db: Kysely<Tables>,
  control: Control,
  owner: SecretOwner,
  prefix: string,
): Promise<Map<string, string>> {
  const rows = await selectSecrets(db, owner)
    // Names that begin with the prefix and a dot: in the order of bytes, which both stores have, `/` follows `.`.
    .where('parent_id', '=', '')
    .where('environment', '=', '')
    .where('name', '>', `${prefix}.`)
    .where('name', '<', `${prefix}/`)
    .orderBy('name')
    .execute()
  const filled = rows.filter(hasValue)
  return new Map(filled.map(({ name, spec }) => [name, control.keys.open(readSealed(spec), aboutSecret(owner, name))]))
}

function selectSecrets(db: Kysely<Tables>, owner: SecretOwner) {
  const { workspaceId, kind } = toSecretShelf(owner)
  return db
    .selectFrom('resources')
    .select(['name', 'spec'])
    .where('workspace_id', '=', workspaceId)
    .where('kind', '=', kind)
}

/** The document with the values of its secrets; refuses, and names it, when one has none. */
export async function withSecrets(
  db: Kysely<Tables>,
  control: Control,
  owner: SecretOwner,
  document: JsonObject,
): Promise<JsonObject> {
  const names = [...referredSecrets(JSON.stringify(document))]
  if (names.length === 0) return document
  const rows = await selectSecrets(db, owner).where('name', 'in', names).execute()
  const sealed = new Map(rows.map(({ name, spec }) => [name, readSealed(spec)]))
  // What is put into an object comes out as one.
  return insertSecrets(document, (name) => {
    const value = sealed.get(name) ?? ''
    if (value !== '') return control.keys.open(value, aboutSecret(owner, name))
    return refuse(invalid({ detail: `The secret ${JSON.stringify(name)} has no value. ${toRemedy(owner)}` }))
  }) as JsonObject
}

/** Whether somebody has given it a value. */
export function hasValue({ spec }: Pick<Resource, 'spec'>): boolean {
  return readSealed(spec) !== ''
}

/** Where the secrets of an owner stand. */
export function toSecretShelf({ id, secretKind = 'secret' }: SecretOwner): Shelf {
  return { workspaceId: id, kind: secretKind, parentId: '' }
}

/** What a sealed value belongs to. */
export function aboutSecret({ id, secretKind = 'secret' }: SecretOwner, name: string): string {
  return `${secretKind} ${id} ${name}`
}

function toRemedy({ secretKind }: SecretOwner): string {
  return secretKind === 'gateway-secret'
    ? 'Settings of gateways have secrets of their own: write the value itself, which is then kept sealed.'
    : 'Set it, then do this again.'
}

function readSealed(spec: string): string {
  // Written by `writeSecret`; a secret without a value has an empty text.
  return (JSON.parse(spec) as { readonly sealed: string }).sealed
}
