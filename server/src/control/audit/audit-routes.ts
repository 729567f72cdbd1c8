/** The audit: who changed what, from where; and whether anybody has tampered with that. */
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { AuditTable, Tables } from '../../db/tables.ts'
import { defineRoute } from '../define-route.ts'
import { toTime } from '../resources/resource-view.ts'
import { auditHead, signHead } from './audit-head.ts'
import { verifyAudit } from './verify-audit.ts'

type Entry = Selectable<AuditTable>

const view = z.strictObject({
  seq: z.int(),
  at: z.iso.datetime(),
  actor: z.string(),
  action: z.string(),
  target: z.strictObject({ kind: z.string(), id: z.string(), name: z.string() }),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
  address: z.string(),
  requestId: z.string(),
  hash: z.string(),
})

function toView(row: Entry): z.input<typeof view> {
  return {
    seq: row.seq,
    at: toTime(row.at_ms),
    actor: row.actor,
    action: row.action,
    target: { kind: row.target_kind, id: row.target_id, name: row.target_name },
    ...(row.before === '' ? {} : { before: JSON.parse(row.before) as unknown }),
    ...(row.after === '' ? {} : { after: JSON.parse(row.after) as unknown }),
    address: row.address,
    requestId: row.request_id,
    hash: row.hash,
  }
}

const query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: z.coerce.number().int().min(1).optional().meta({ description: 'Only entries older than this number.' }),
  actor: z.string().max(200).optional(),
  action: z.string().max(100).optional(),
})
const output = z.strictObject({ items: z.array(view), next: z.string().optional() })

async function listEntries(db: Kysely<Tables>, filter: z.output<typeof query>, workspaceId: string | undefined) {
  let rows = db.selectFrom('audit').selectAll()
  if (workspaceId !== undefined) rows = rows.where('workspace_id', '=', workspaceId)
  if (filter.before !== undefined) rows = rows.where('seq', '<', filter.before)
  if (filter.actor !== undefined) rows = rows.where('actor', '=', filter.actor)
  if (filter.action !== undefined) rows = rows.where('action', '=', filter.action)
  const found = await rows
    .orderBy('seq', 'desc')
    .limit(filter.limit + 1)
    .execute()
  const page = found.slice(0, filter.limit)
  return { items: page.map(toView), next: found.length > page.length ? String(page.at(-1)?.seq) : undefined }
}

export const listWorkspaceAudit = defineRoute({
  id: 'listWorkspaceAudit',
  method: 'GET',
  path: '/workspaces/{workspace}/audit',
  tag: 'audit',
  summary: 'Lists the changes in a workspace, the latest first.',
  permission: 'audit.read',
  effect: 'read',
  query,
  output,
  handle: async (call) => ({ body: await listEntries(call.db, call.query, call.workspace.id) }),
})

export const listAudit = defineRoute({
  id: 'listAudit',
  method: 'GET',
  path: '/audit',
  tag: 'audit',
  summary: 'Lists all changes of the installation, the latest first.',
  permission: 'audit.read',
  effect: 'read',
  query,
  output,
  handle: async (call) => ({ body: await listEntries(call.db, call.query, undefined) }),
})

export const getAuditHead = defineRoute({
  id: 'getAuditHead',
  method: 'GET',
  path: '/audit/head',
  tag: 'audit',
  summary: 'Gives the signed head of the audit, to be kept elsewhere: with it, also a cut end is noticed.',
  permission: 'audit.verify',
  effect: 'read',
  output: auditHead,
  handle: async (call) => ({ body: await signHead(call.control) }),
})

export const verifyAuditRoute = defineRoute({
  id: 'verifyAudit',
  method: 'GET',
  path: '/audit/verification',
  tag: 'audit',
  summary: 'Says whether the chain of the audit is whole, and where it is not.',
  permission: 'audit.verify',
  effect: 'read',
  output: z.strictObject({
    whole: z.boolean(),
    entries: z.int(),
    fault: z.strictObject({ seq: z.int(), detail: z.string() }).optional(),
  }),
  handle: async (call) => ({ body: await verifyAudit(call.db) }),
})
