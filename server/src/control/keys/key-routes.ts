/** The keys of the installation: which there are, and a new one in the place of the old. The keys themselves are never shown. */
import { z } from 'zod'
import { refuse } from '../control-error.ts'
import { defineRoute } from '../define-route.ts'
import { inUse } from '../problems.ts'
import { toTime } from '../resources/resource-view.ts'
import type { KeyPurpose, KeyRow } from './key-ring.ts'
import { ACTIVATION_MS } from './rotate-keys.ts'

const purpose = z
  .enum(['seal', 'sign'])
  .meta({ description: '`seal`: of secrets in the store. `sign`: of what gateways are given.' })

const view = z.strictObject({
  id: z.string(),
  purpose,
  state: z.enum(['pending', 'active', 'replaced', 'retired']).meta({
    description: 'A replaced key opens what it sealed until that is sealed anew; a retired one is wiped out.',
  }),
  createdAt: z.iso.datetime(),
  activeAt: z.iso.datetime(),
})

function toViews(rows: readonly KeyRow[], nowMs: number): z.input<typeof view>[] {
  return rows.map((row) => {
    const isActive = (each: KeyRow): boolean => each.purpose === row.purpose && each.active_at_ms <= nowMs
    const isNewest = rows.findLast(isActive)?.id === row.id
    const state = row.retired_at_ms !== null ? 'retired' : !isActive(row) ? 'pending' : isNewest ? 'active' : 'replaced'
    const activeAt = toTime(Math.max(row.active_at_ms, row.created_at_ms))
    return { id: row.id, purpose: toPurpose(row), state, createdAt: toTime(row.created_at_ms), activeAt }
  })
}

function toPurpose({ purpose: text }: KeyRow): KeyPurpose {
  return text === 'sign' ? 'sign' : 'seal'
}

export const listKeys = defineRoute({
  id: 'listKeys',
  method: 'GET',
  path: '/keys',
  tag: 'keys',
  summary: 'Lists the keys of the installation and what has become of them.',
  permission: 'keys.read',
  effect: 'read',
  output: z.strictObject({ items: z.array(view) }),
  async handle({ db, control }) {
    const rows = await db.selectFrom('keys').selectAll().orderBy('active_at_ms').execute()
    return { body: { items: toViews(rows, control.clock.now()) } }
  },
})

export const rotateKeys = defineRoute({
  id: 'rotateKeys',
  method: 'POST',
  path: '/keys/rotate',
  tag: 'keys',
  summary:
    'Makes a new key, which is used from a few seconds on; what the old one sealed is sealed anew, then it is retired.',
  permission: 'keys.write',
  effect: 'action',
  body: z.strictObject({ purpose }),
  output: view,
  async handle(call) {
    const { control, body } = call
    const answer = await call.write(async (write) => {
      const nowMs = control.clock.now()
      const newest = await write.db
        .selectFrom('keys')
        .select(['id', 'active_at_ms'])
        .where('purpose', '=', body.purpose)
        .where('retired_at_ms', 'is', null)
        .orderBy('active_at_ms', 'desc')
        .executeTakeFirstOrThrow()
      const row =
        newest.active_at_ms > nowMs ? undefined : control.keys.make(body.purpose, newest.id, nowMs + ACTIVATION_MS)
      if (row === undefined)
        return refuse(inUse({ detail: 'A rotation has just begun. Wait until its key is active.' }))
      await write.db.insertInto('keys').values(row).execute()
      write.note({ kind: 'key', id: row.id, name: body.purpose })
      const views = toViews([row], nowMs)
      return { body: views[0] ?? refuse(inUse()) }
    })
    await control.keys.refresh()
    return answer
  },
})
