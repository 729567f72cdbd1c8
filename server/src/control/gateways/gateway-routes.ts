/** The gateways as people see them: which there are, what they run, whether that is what they should run. */
import { z } from 'zod'
import { gatewayReport, reportAnswer, type GatewayReport } from '../../kernel/control-protocol.ts'
import type { Control } from '../control.ts'
import { defineRoute } from '../define-route.ts'
import { refuse } from '../control-error.ts'
import { notFound } from '../problems.ts'
import { toTime } from '../resources/resource-view.ts'
import { reportTakers } from './report-takers.ts'
import { ownGateway } from './snapshot-routes.ts'

/** A gateway that says nothing for so long is not counted on. */
const SILENT_MS = 5_000
const MOST_REPORT_BYTES = 4 * 1024 * 1024

const view = z.strictObject({
  id: z.string(),
  name: z.string(),
  environment: z.string(),
  state: z.enum(['online', 'silent', 'revoked', 'joined']),
  /** It runs another snapshot than the one that is published. */
  drift: z.boolean(),
  publishedRoot: z.string(),
  lastSeenAt: z.iso.datetime(),
  report: z.looseObject({}),
})

interface GatewayRow {
  readonly id: string
  readonly name: string
  readonly environment: string
  readonly last_seen_at_ms: number
  readonly revoked_at_ms: number | null
  readonly report: string
}

function toView(control: Control, row: GatewayRow): z.input<typeof view> {
  // Written by `reportGateway`, or the empty object of the join.
  const report = JSON.parse(row.report) as Record<string, unknown>
  const publishedRoot = control.feed.current(row.environment)?.root ?? ''
  const isSilent = control.clock.now() - row.last_seen_at_ms > SILENT_MS
  const state =
    row.revoked_at_ms !== null ? 'revoked' : report['root'] === undefined ? 'joined' : isSilent ? 'silent' : 'online'
  return {
    id: row.id,
    name: row.name,
    environment: row.environment,
    state,
    drift: state !== 'revoked' && report['root'] !== publishedRoot,
    publishedRoot,
    lastSeenAt: toTime(row.last_seen_at_ms),
    report,
  }
}

/** What people look at; the other parts of a report go to their takers. */
function toState({ version, root, refused, workers, ready, connections, inFlight, requests }: GatewayReport): unknown {
  return { version, root, refused, workers, ready, connections, inFlight, requests }
}

export const listGateways = defineRoute({
  id: 'listGateways',
  method: 'GET',
  path: '/gateways',
  tag: 'gateways',
  summary: 'Lists the gateways with what they run.',
  permission: 'gateways.read',
  effect: 'read',
  query: z.strictObject({ environment: z.string().max(100).optional() }),
  output: z.strictObject({ items: z.array(view) }),
  async handle({ control, db, query }) {
    let rows = db.selectFrom('gateways').selectAll().orderBy('name').orderBy('id')
    if (query.environment !== undefined) rows = rows.where('environment', '=', query.environment)
    return { body: { items: (await rows.execute()).map((row) => toView(control, row)) } }
  },
})

export const revokeGateway = defineRoute({
  id: 'revokeGateway',
  method: 'POST',
  path: '/gateways/{id}/revoke',
  tag: 'gateways',
  summary: 'Takes its identity from a gateway: it gets no more configuration.',
  permission: 'gateways.write',
  effect: 'action',
  params: z.strictObject({ id: z.string().max(100) }),
  output: view,
  async handle(call) {
    const { control, params } = call
    return call.write(async (write) => {
      const nowMs = control.clock.now()
      const row = await write.db
        .updateTable('gateways')
        .set({ revoked_at_ms: nowMs, updated_at_ms: nowMs })
        .where('id', '=', params.id)
        .returningAll()
        .executeTakeFirst()
      if (row === undefined) return refuse(notFound({ detail: 'There is no such gateway.' }))
      write.note({ kind: 'gateway', id: row.id, name: row.name })
      return { body: toView(control, row) }
    })
  },
})

export const reportGateway = defineRoute({
  id: 'reportGateway',
  method: 'POST',
  path: '/gateway/report',
  tag: 'gateways',
  summary: 'Takes what a gateway says of itself.',
  permission: { door: 'gateway' },
  effect: 'read',
  maxBodyBytes: MOST_REPORT_BYTES,
  body: gatewayReport,
  output: reportAnswer,
  async handle(call) {
    const { control, body: report } = call
    const gateway = await ownGateway(call)
    // No change that anybody asked for, so nothing for the audit.
    const answers = await control.database.write(async (db) => {
      await db
        .updateTable('gateways')
        .set({ last_seen_at_ms: control.clock.now(), report: JSON.stringify(toState(report)) })
        .where('id', '=', gateway.id)
        .execute()
      const taken = []
      for (const taker of reportTakers) taken.push(await taker.take({ db, control, gateway, report }))
      return taken
    })
    return { body: Object.assign({}, ...answers) }
  },
})
