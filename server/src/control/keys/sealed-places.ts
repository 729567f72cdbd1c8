/** Everything in the store that is sealed, so that it can be sealed anew. What is missing here keeps its key from being retired. */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import { aboutAnswer } from '../idempotency.ts'
import { aboutClientSecret } from '../identity-providers/identity-provider.ts'
import { aboutSecret, SECRET_KINDS } from '../secrets/secret-values.ts'
import { aboutTotp } from '../totp/take-code.ts'
import type { KeyRing } from './key-ring.ts'

/** Seals some of what the key `old` sealed with the newest one; how many it found. A change meanwhile wins. */
type Reseal = (db: Kysely<Tables>, keys: KeyRing, old: string) => Promise<number>

const BATCH = 100

export const sealedPlaces: readonly Reseal[] = [
  async (db, keys, old) => {
    const rows = await db
      .selectFrom('resources')
      .select(['id', 'workspace_id', 'kind', 'name', 'spec'])
      .where('kind', 'in', SECRET_KINDS)
      .where('spec', 'like', `%"${old}.%`)
      .limit(BATCH)
      .execute()
    for (const { id, workspace_id: workspaceId, kind, name, spec } of rows) {
      const owner = { id: workspaceId }
      const about = aboutSecret(kind === 'gateway-secret' ? { ...owner, secretKind: kind } : owner, name)
      // Written by `writeSecret`.
      const value = JSON.parse(spec) as { readonly sealed: string }
      const fresh = JSON.stringify({ ...value, sealed: anew(keys, value.sealed, about) })
      await db.updateTable('resources').set({ spec: fresh }).where('id', '=', id).where('spec', '=', spec).execute()
    }
    return rows.length
  },
  async (db, keys, old) => {
    const rows = await db
      .selectFrom('users')
      .select(['id', 'totp'])
      .where((where) => where.or([where('totp', 'like', `${old}.%`), where('totp', 'like', `?${old}.%`)]))
      .limit(BATCH)
      .execute()
    for (const { id, totp } of rows) {
      const mark = totp.startsWith('?') ? '?' : ''
      const fresh = mark + anew(keys, totp.slice(mark.length), aboutTotp(id))
      await db.updateTable('users').set({ totp: fresh }).where('id', '=', id).where('totp', '=', totp).execute()
    }
    return rows.length
  },
  async (db, keys, old) => {
    const rows = await db
      .selectFrom('identity_providers')
      .select(['id', 'secret'])
      .where('secret', 'like', `${old}.%`)
      .limit(BATCH)
      .execute()
    for (const { id, secret } of rows) {
      const fresh = anew(keys, secret, aboutClientSecret(id))
      await db
        .updateTable('identity_providers')
        .set({ secret: fresh })
        .where('id', '=', id)
        .where('secret', '=', secret)
        .execute()
    }
    return rows.length
  },
  async (db, keys, old) => {
    const rows = await db
      .selectFrom('idempotency')
      .select(['actor', 'key', 'body'])
      .where('body', 'like', `${old}.%`)
      .limit(BATCH)
      .execute()
    for (const { actor, key, body } of rows) {
      const fresh = anew(keys, body, aboutAnswer(key))
      await db
        .updateTable('idempotency')
        .set({ body: fresh })
        .where('actor', '=', actor)
        .where('key', '=', key)
        .where('body', '=', body)
        .execute()
    }
    return rows.length
  },
]

function anew(keys: KeyRing, sealed: string, about: string): string {
  return keys.seal(keys.open(sealed, about), about)
}
