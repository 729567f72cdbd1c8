/** Who still calls a version that is deprecated. */
import { z } from 'zod'
import { OTHER_CALLERS } from '../../kernel/caller-counts.ts'
import { defineRoute } from '../define-route.ts'
import { toTime } from '../resources/resource-view.ts'
import { getVersion } from '../versions/version-store.ts'
import { KEPT_DAYS, listCallers, listDays, type Caller } from './caller-store.ts'

const caller = z.strictObject({
  kind: z.enum(['consumer', 'subject', 'anonymous', 'others']).meta({
    description:
      'A consumer; a subject of a token that is no consumer; nobody that is known; all beyond those that are told apart.',
  }),
  name: z.string().meta({ description: 'Of the consumer or subject; empty for the other kinds.' }),
  lastSeenAt: z.iso.datetime(),
  requests: z.int(),
  days: z.array(z.strictObject({ day: z.iso.date(), requests: z.int() })).meta({ description: 'Days are of UTC.' }),
})

const page = z.strictObject({ items: z.array(caller), next: z.string().optional(), shows: z.literal('live') })

export const listVersionCallers = defineRoute({
  id: 'listVersionCallers',
  method: 'GET',
  path: '/workspaces/{workspace}/apis/{api}/versions/{version}/callers',
  tag: 'lifecycle',
  summary: 'Lists who called a deprecated version, with requests by day.',
  permission: 'apis.read',
  effect: 'read',
  params: z.strictObject({ api: z.string().max(200), version: z.string().max(200) }),
  query: z.strictObject({
    days: z.coerce.number().int().min(1).max(KEPT_DAYS).default(30).meta({ description: 'How many days back.' }),
    environment: z.string().max(100).optional().meta({ description: 'Only calls in this environment.' }),
    limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'Entries of a page.' }),
    cursor: z.string().max(500).optional().meta({ description: '`next` of the page before.' }),
  }),
  output: page,
  async handle({ control, db, workspace, params, query }) {
    const { row } = await getVersion(db, workspace, params)
    const { days, environment, limit, cursor } = query
    const range = { nowMs: control.clock.now(), days, environment }
    const found = await listCallers(db, row.id, { ...range, limit: limit + 1, after: cursor })
    const shown = found.slice(0, limit)
    const names = shown.map(({ consumer }) => consumer)
    const byConsumer = Map.groupBy(await listDays(db, row.id, names, range), ({ consumer }) => consumer)
    const items = shown.map((each) => ({
      ...toKind(each),
      lastSeenAt: toTime(each.lastSeenMs),
      requests: each.count,
      days: (byConsumer.get(each.consumer) ?? []).map(({ dayStartMs, count }) => ({
        day: toTime(dayStartMs).slice(0, 10),
        requests: count,
      })),
    }))
    const body: z.input<typeof page> = { items, next: found.length > limit ? names.at(-1) : undefined, shows: 'live' }
    return { body }
  },
})

function toKind({ consumer }: Caller): Pick<z.input<typeof caller>, 'kind' | 'name'> {
  if (consumer === '') return { kind: 'anonymous', name: '' }
  if (consumer === OTHER_CALLERS) return { kind: 'others', name: '' }
  const subject = /^sub:(.*)$/s.exec(consumer)?.[1]
  return subject === undefined ? { kind: 'consumer', name: consumer } : { kind: 'subject', name: subject }
}
