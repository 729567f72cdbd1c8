/** Keys of consumers in the store, which has their hashes alone. */
import { hash } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import { keyChunks, rowChunks, type RowChanges } from '../../db/chunks.ts'
import type { CredentialTable, Tables } from '../../db/tables.ts'
import type { Control } from '../control.ts'
import { refuse } from '../control-error.ts'
import { taken } from '../problems.ts'
import type { Resource } from '../resources/resource-store.ts'
import { createSecretToken } from '../tokens/secret-token.ts'
import { findEndedKeys, forgetEnd } from './ended-keys.ts'

export type Credential = Selectable<CredentialTable>

export interface CredentialFacts {
  readonly name: string
  /** SHA-256 of an existing key; undefined: a new key is made. */
  readonly hash?: string | undefined
  readonly expiresAtMs?: number | null
}

/** A row for the consumer, and the key when it was made here. */
export function newCredential(
  control: Control,
  consumer: Resource,
  facts: CredentialFacts,
): { readonly credential: Credential; readonly key: string | undefined } {
  const key = facts.hash === undefined ? createSecretToken('key') : undefined
  const nowMs = control.clock.now()
  const credential: Credential = {
    id: control.newId('credential'),
    workspace_id: consumer.workspace_id,
    consumer_id: consumer.id,
    name: facts.name,
    hash: facts.hash?.toLowerCase() ?? hash('sha256', key ?? ''),
    prefix: key?.slice(0, 12) ?? '',
    expires_at_ms: facts.expiresAtMs ?? null,
    revoked_at_ms: null,
    source: '',
    version: 1,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  }
  return { credential, key }
}

/** Refuses a second key of the same name, and one that somebody in the workspace has already or that was revoked. */
export async function insertCredential(db: Kysely<Tables>, row: Credential): Promise<void> {
  const known = await db
    .selectFrom('credentials')
    .select(['name', 'consumer_id'])
    .where('workspace_id', '=', row.workspace_id)
    .where((where) =>
      where.or([
        where('hash', '=', row.hash),
        where.and([where('consumer_id', '=', row.consumer_id), where('name', '=', row.name)]),
      ]),
    )
    .executeTakeFirst()
  if (known !== undefined) {
    const isName = known.name === row.name && known.consumer_id === row.consumer_id
    // Whose key it is would tell the caller that they guessed one.
    refuse(taken({ detail: isName ? 'The consumer has a key of this name.' : 'This key cannot be used.' }))
  }
  const ended = (await findEndedKeys(db, row.workspace_id, [row.hash])).get(row.hash)
  if (ended?.is_revoked === 1) refuse(taken({ detail: 'This key cannot be used.' }))
  if (ended !== undefined) await forgetEnd(db, row)
  await db.insertInto('credentials').values(row).execute()
}

/** Removes first, so that what goes is in nobody's way; the rows then in their order. */
export async function writeCredentials(
  db: Kysely<Tables>,
  { removedIds, rows }: RowChanges<Credential>,
): Promise<void> {
  for (const some of keyChunks([...removedIds])) await db.deleteFrom('credentials').where('id', 'in', some).execute()
  for (const some of rowChunks([...rows.values()])) {
    await db
      .insertInto('credentials')
      .values(some)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((row) => ({
          name: row.ref('excluded.name'),
          hash: row.ref('excluded.hash'),
          expires_at_ms: row.ref('excluded.expires_at_ms'),
          source: row.ref('excluded.source'),
          version: row.ref('excluded.version'),
          updated_at_ms: row.ref('excluded.updated_at_ms'),
        })),
      )
      .execute()
  }
}
