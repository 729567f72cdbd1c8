/**
 * Applies the keys of a consumer. What people took from a key no document gives back: one that was revoked stays so, and
 * an end that was put forward, as a rotation does it, stays where it is. Both also when a document leaves out the key, or
 * the whole consumer, in between.
 */
import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { refuse } from '../control-error.ts'
import type { Credential } from '../credentials/credential-store.ts'
import { findEndedKey, type EndedKey } from '../credentials/ended-keys.ts'
import { taken } from '../problems.ts'
import type { Resource } from '../resources/resource-store.ts'
import { toTime } from '../resources/resource-view.ts'
import { tell, type ApplyContext } from './apply-context.ts'
import type { DesiredKey } from './desired-state.ts'

const STAYS_REVOKED = 'was revoked and stays so; only another key can take its place'

/** Whether anything changed. Of the keys that the document does not name those go that the same source applied. */
export async function applyKeys(
  context: ApplyContext,
  consumer: Resource,
  keys: readonly DesiredKey[],
): Promise<boolean> {
  const { db } = context.write
  const known = await db.selectFrom('credentials').selectAll().where('consumer_id', '=', consumer.id).execute()
  const named = new Set<Credential>()
  let hasChanged = false
  for (const key of keys) {
    const ended = await findEndedKey(db, consumer.workspace_id, key.hash)
    if (ended?.is_revoked === 1) {
      tell(context, 'credential', `${consumer.name}/${key.name}`, 'unchanged', [], STAYS_REVOKED)
      continue
    }
    const before = known.find(({ name }) => name === key.name)
    if (before !== undefined) named.add(before)
    if (await applyKey(context, consumer, key, before, ended)) hasChanged = true
  }
  // What people made, such as a key that replaces another, is not the file's to take away.
  const gone = known.filter((each) => each.source === context.source && !named.has(each))
  for (const each of gone.filter(({ revoked_at_ms: revokedAtMs }) => revokedAtMs === null)) {
    const { id, name } = each
    await db.deleteFrom('credentials').where('id', '=', id).execute()
    tell(context, 'credential', `${consumer.name}/${name}`, 'removed')
    context.write.note({ kind: 'credential', id, name: `${consumer.name}/${name}`, before: toNote(each) })
    hasChanged = true
  }
  return hasChanged
}

/** Whether the key changed. `before` has its name; a revoked one steps aside, and is remembered by its hash. */
async function applyKey(
  context: ApplyContext,
  consumer: Resource,
  key: DesiredKey,
  before: Credential | undefined,
  ended: EndedKey | undefined,
): Promise<boolean> {
  const { call, write, source } = context
  const name = `${consumer.name}/${key.name}`
  const endsAtMs = earlier(before?.hash === key.hash ? before.expires_at_ms : null, ended?.ends_at_ms ?? null)
  const expiresAtMs = earlier(endsAtMs, key.expiresAtMs)
  const reason =
    expiresAtMs === null || expiresAtMs === key.expiresAtMs
      ? undefined
      : `ends at ${toTime(expiresAtMs)} already; only another key can last longer`
  if (before?.hash === key.hash && before.expires_at_ms === expiresAtMs) {
    if (reason !== undefined) tell(context, 'credential', name, 'unchanged', [], reason)
    return false
  }
  await refuseForeignKey(context, key, before?.id, name)
  const nowMs = call.control.clock.now()
  const changes = { hash: key.hash, expires_at_ms: expiresAtMs, source, updated_at_ms: nowMs }
  const replaced = before?.revoked_at_ms === null ? before : undefined
  const id = replaced?.id ?? call.control.newId('credential')
  if (replaced === undefined) {
    if (before !== undefined) await stepAside(write.db, before)
    const facts = { id, workspace_id: call.workspace.id, consumer_id: consumer.id, name: key.name, prefix: '' }
    await write.db
      .insertInto('credentials')
      .values({ ...facts, ...changes, revoked_at_ms: null, version: 1, created_at_ms: nowMs })
      .execute()
  } else {
    await write.db
      .updateTable('credentials')
      .set({ ...changes, version: replaced.version + 1 })
      .where('id', '=', id)
      .execute()
  }
  tell(context, 'credential', name, replaced === undefined ? 'created' : 'changed', [], reason)
  const facts = { before: replaced && toNote(replaced), after: toNote(changes) }
  write.note({ kind: 'credential', id, name, ...facts })
  return true
}

/** What tells those who hear of it whether the key is new, another one, or gone. Its hash is nobody's business there. */
function toNote({ source, expires_at_ms: ms }: Pick<Credential, 'source' | 'expires_at_ms'>): JsonObject {
  return { source, ...(ms === null ? {} : { expiresAt: toTime(ms) }) }
}

/** Of two times the one that comes first; null is never. */
function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}

async function stepAside(db: Kysely<Tables>, { id, name, version }: Credential): Promise<void> {
  await db
    .updateTable('credentials')
    .set({ name: `${name}.${id}`, version: version + 1 })
    .where('id', '=', id)
    .execute()
}

/** A key says who calls, so it can belong to one consumer in one environment only. */
async function refuseForeignKey(
  { call, write }: ApplyContext,
  { hash }: DesiredKey,
  ownId: string | undefined,
  name: string,
): Promise<void> {
  const other = await write.db
    .selectFrom('credentials')
    .select('id')
    .where('workspace_id', '=', call.workspace.id)
    .where('hash', '=', hash)
    .executeTakeFirst()
  if (other === undefined || other.id === ownId) return
  const detail = `The key ${name} belongs to another consumer already, or to this one in another environment.`
  refuse(taken({ detail }))
}
