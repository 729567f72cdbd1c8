/**
 * What follows on a rotation, in every control process and as often as it likes: it reads the keys again, seals anew what
 * an old key sealed, and retires old keys when nothing needs them. It can stop anywhere and goes on at the next look.
 */
import { sql } from 'kysely'
import { readTableShapes } from '../../db/table-shapes.ts'
import type { Control } from '../control.ts'
import { sealedPlaces } from './sealed-places.ts'

type KeepingControl = Pick<Control, 'database' | 'keys' | 'clock' | 'log'>

const LOOK_MS = 2_000
/** Every process has read a new key by then. */
export const ACTIVATION_MS = 10_000
/** What was being written with the old key when the new one came into use is in the store by then. */
const RETIRE_MS = 600_000
const MOST_BATCHES = 20
/** After a look through the whole store that found an old key in use: the next one is as dear. */
export const KEPT_LOOK_MS = 600_000

/** When each control plane looks again after such keys. */
const nextLooks = new WeakMap<KeepingControl, number>()

/** Looks after the keys until the function that it returns is called. */
export function keepKeys(control: KeepingControl): () => Promise<void> {
  let looking: Promise<void> | undefined
  const timer = setInterval(() => {
    looking ??= tendKeys(control)
      .catch((cause: unknown) =>
        control.log.error({ err: cause }, 'the keys cannot be looked after; this is tried again'),
      )
      .finally(() => {
        looking = undefined
      })
  }, LOOK_MS)
  return async () => {
    clearInterval(timer)
    await looking
  }
}

/** One look. */
export async function tendKeys(control: KeepingControl): Promise<void> {
  const { database, keys, clock } = control
  await keys.refresh()
  const rows = await database.read
    .selectFrom('keys')
    .select(['id', 'purpose', 'active_at_ms'])
    .where('retired_at_ms', 'is', null)
    .orderBy('active_at_ms')
    .execute()
  const nowMs = clock.now()
  for (const purpose of ['seal', 'sign']) {
    const active = rows.filter((row) => row.purpose === purpose && row.active_at_ms <= nowMs)
    const newest = active.at(-1)
    const old = active.slice(0, -1).map(({ id }) => id)
    if (newest === undefined || old.length === 0) continue
    if (purpose === 'seal' && clock.monotonicMs() < (nextLooks.get(control) ?? -Infinity)) continue
    if (purpose === 'seal' && (await sealAnew(control, old))) continue
    if (nowMs < newest.active_at_ms + RETIRE_MS) continue
    await retire(control, purpose, old)
  }
}

/** Whether there was something to do. */
async function sealAnew({ database, keys }: KeepingControl, old: readonly string[]): Promise<boolean> {
  let found = 0
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    let count = 0
    for (const reseal of sealedPlaces) {
      for (const id of old) count += await database.write((db) => reseal(db, keys, id))
    }
    if (count === 0) break
    found += count
  }
  return found > 0
}

/** The key itself is wiped out, so that nobody who reads the store from now on can open what it sealed before. */
async function retire(control: KeepingControl, purpose: string, old: readonly string[]): Promise<void> {
  const { database, keys, clock, log } = control
  const use = purpose === 'seal' ? await findUse(control, old) : undefined
  if (use !== undefined) {
    nextLooks.set(control, clock.monotonicMs() + KEPT_LOOK_MS)
    log.warn({ table: use, keys: old }, 'an old key is kept: the table holds something that is not sealed anew')
    return
  }
  await database.write((db) =>
    db.updateTable('keys').set({ sealed: '', retired_at_ms: clock.now() }).where('id', 'in', old).execute(),
  )
  log.info({ purpose, keys: old }, 'old keys are retired')
  await keys.refresh()
}

/** A table that still holds something sealed with one of the keys; all are looked at, so that none can be forgotten. */
async function findUse({ database }: KeepingControl, ids: readonly string[]): Promise<string | undefined> {
  for (const { name, columns } of await readTableShapes(database.read, database.dialect)) {
    if (name === 'keys') continue
    const tests = ids.flatMap((id) =>
      columns.map((column) => sql<boolean>`cast(${sql.ref(column)} as text) like ${`%${id}.%`}`),
    )
    const { rows } = await sql`select 1 from ${sql.table(name)} where ${sql.join(tests, sql` or `)} limit 1`.execute(
      database.read,
    )
    if (rows.length > 0) return name
  }
  return undefined
}
