/**
 * Applies the keys of a consumer. What people took from a key no document gives back: one that was revoked stays so, and
 * an end that was put forward, as a rotation does it, stays where it is. Both also when a document leaves out the key, or
 * the whole consumer, in between.
 */
import { findInChunks, type RowChanges } from '../../db/chunks.ts'
import type { JsonObject } from '../../kernel/json.ts'
import { refuse } from '../control-error.ts'
import type { Credential } from '../credentials/credential-store.ts'
import { findEndedKeys, type EndedKey } from '../credentials/ended-keys.ts'
import { taken } from '../problems.ts'
import type { Resource } from '../resources/resource-store.ts'
import { toTime } from '../resources/resource-view.ts'
import { tell, type ApplyContext } from './apply-context.ts'
import type { DesiredConsumer, DesiredKey } from './desired-state.ts'

const STAYS_REVOKED = 'was revoked and stays so; only another key can take its place'

/** The keys of some consumers while a document is applied to them: decided here, written when all are decided. */
interface AppliedKeys extends RowChanges<Credential> {
  /** Those from before, by the id of the consumer. */
  readonly known: ReadonlyMap<string, readonly Credential[]>
  /** What people ended, by hash. */
  readonly ended: ReadonlyMap<string, EndedKey>
  /** Ids of keys by hash: whose each is by now. */
  readonly holders: Map<string, string>
  readonly removedIds: Set<string>
  readonly rows: Map<string, Credential>
}

export async function readKeys(
  { call, write: { db } }: ApplyContext,
  consumers: readonly Resource[],
  desired: readonly Pick<DesiredConsumer, 'keys'>[],
): Promise<AppliedKeys> {
  const workspaceId = call.workspace.id
  const hashes = desired.flatMap(({ keys }) => keys.map(({ hash }) => hash))
  const ids = consumers.map(({ id }) => id)
  const known = await findInChunks(ids, (some) =>
    db.selectFrom('credentials').selectAll().where('consumer_id', 'in', some).execute(),
  )
  const held = await findInChunks(hashes, (some) =>
    db
      .selectFrom('credentials')
      .select(['id', 'hash'])
      .where('workspace_id', '=', workspaceId)
      .where('hash', 'in', some)
      .execute(),
  )
  return {
    known: Map.groupBy(known, ({ consumer_id: id }) => id),
    ended: await findEndedKeys(db, workspaceId, hashes),
    holders: new Map(held.map(({ id, hash }) => [hash, id])),
    removedIds: new Set(),
    rows: new Map(),
  }
}

/** Whether anything changes. Of the keys that the document does not name those go that the same source applied. */
export function applyKeys(
  context: ApplyContext,
  state: AppliedKeys,
  consumer: Resource,
  keys: readonly DesiredKey[],
): boolean {
  const known = state.known.get(consumer.id) ?? []
  const named = new Set<Credential>()
  let hasChanged = false
  for (const key of keys) {
    if (state.ended.get(key.hash)?.is_revoked === 1) {
      tell(context, 'credential', `${consumer.name}/${key.name}`, 'unchanged', [], STAYS_REVOKED)
      continue
    }
    const before = known.find(({ name }) => name === key.name)
    if (before !== undefined) named.add(before)
    if (applyKey(context, state, consumer, key, before)) hasChanged = true
  }
  // What people made, such as a key that replaces another, is not the file's to take away.
  const gone = known.filter((each) => each.source === context.source && !named.has(each))
  for (const each of gone.filter(({ revoked_at_ms: revokedAtMs }) => revokedAtMs === null)) {
    const { id, name } = each
    state.removedIds.add(id)
    release(state, each)
    tell(context, 'credential', `${consumer.name}/${name}`, 'removed')
    context.write.note({ kind: 'credential', id, name: `${consumer.name}/${name}`, before: toNote(each) })
    hasChanged = true
  }
  return hasChanged
}

/** Whether the key changes. `before` has its name; a revoked one steps aside, and is remembered by its hash. */
function applyKey(
  context: ApplyContext,
  state: AppliedKeys,
  consumer: Resource,
  key: DesiredKey,
  before: Credential | undefined,
): boolean {
  const { call, write, source } = context
  const name = `${consumer.name}/${key.name}`
  const endedAtMs = state.ended.get(key.hash)?.ends_at_ms ?? null
  const endsAtMs = earlier(before?.hash === key.hash ? before.expires_at_ms : null, endedAtMs)
  const expiresAtMs = earlier(endsAtMs, key.expiresAtMs)
  const reason =
    expiresAtMs === null || expiresAtMs === key.expiresAtMs
      ? undefined
      : `ends at ${toTime(expiresAtMs)} already; only another key can last longer`
  if (before?.hash === key.hash && before.expires_at_ms === expiresAtMs) {
    if (reason !== undefined) tell(context, 'credential', name, 'unchanged', [], reason)
    return false
  }
  refuseForeignKey(state, consumer, key, source, name)
  const nowMs = call.control.clock.now()
  const changes = { hash: key.hash, expires_at_ms: expiresAtMs, source, updated_at_ms: nowMs }
  const replaced = before?.revoked_at_ms === null ? before : undefined
  const id = replaced?.id ?? call.control.newId('credential')
  if (replaced === undefined) {
    if (before !== undefined) stepAside(state, before)
    const facts = { id, workspace_id: call.workspace.id, consumer_id: consumer.id, name: key.name, prefix: '' }
    state.rows.set(id, { ...facts, ...changes, revoked_at_ms: null, version: 1, created_at_ms: nowMs })
  } else {
    release(state, replaced)
    // Out of the way of the others first: keys without names change places when one before them goes.
    state.removedIds.add(id)
    state.rows.set(id, { ...replaced, ...changes, version: replaced.version + 1 })
  }
  state.holders.set(key.hash, id)
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

function stepAside({ rows }: AppliedKeys, before: Credential): void {
  rows.set(before.id, { ...before, name: `${before.name}.${before.id}`, version: before.version + 1 })
}

function release({ holders }: AppliedKeys, { id, hash }: Credential): void {
  if (holders.get(hash) === id) holders.delete(hash)
}

/** A key says who calls, so it can belong to one consumer in one environment only. */
function refuseForeignKey(
  { known, holders }: AppliedKeys,
  consumer: Resource,
  { name: keyName, hash }: DesiredKey,
  source: string,
  name: string,
): void {
  const holder = holders.get(hash)
  if (holder === undefined) return
  // A document has a key once, so what it applied under another name has another key from now on, or goes.
  const isOwn = (each: Credential): boolean => each.id === holder && (each.name === keyName || each.source === source)
  if (known.get(consumer.id)?.some(isOwn) === true) return
  const detail = `The key ${name} belongs to another consumer already, or to this one by another name or in another environment.`
  refuse(taken({ detail }))
}
