/**
 * Keys of consumers. Headgate makes them, or takes over existing ones by their hash; it keeps only hashes. A new key
 * beside the old one, an expiry for the old one: that is a rotation without a gap.
 */
import type { Kysely } from 'kysely'
import { z } from 'zod'
import { name } from '../../config/schema/quantities.ts'
import type { Tables } from '../../db/tables.ts'
import { consumerPart } from '../consumers/consumer-part.ts'
import { refuse } from '../control-error.ts'
import { defineRoute, type Call, type Write } from '../define-route.ts'
import { invalid, notFound } from '../problems.ts'
import { getResource, type Resource } from '../resources/resource-store.ts'
import { toTime } from '../resources/resource-view.ts'
import { publishResources } from '../snapshots/publish-resources.ts'
import { insertCredential, newCredential, type Credential } from './credential-store.ts'
import { rememberEnds } from './ended-keys.ts'

const path = '/workspaces/{workspace}/consumers/{consumer}/credentials'
const params = z.strictObject({ consumer: z.string().max(200) })
const inEnvironment = z.strictObject({ environment: z.string().max(100).optional() })

const view = z.strictObject({
  name: z.string(),
  prefix: z.string().meta({ description: 'How a key that Headgate made begins, to recognise it.' }),
  state: z.enum(['active', 'expired', 'revoked']),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
})

function toView(row: Credential, nowMs: number): z.input<typeof view> {
  const isExpired = row.expires_at_ms !== null && row.expires_at_ms <= nowMs
  return {
    name: row.name,
    prefix: row.prefix,
    state: row.revoked_at_ms !== null ? 'revoked' : isExpired ? 'expired' : 'active',
    createdAt: toTime(row.created_at_ms),
    ...(row.expires_at_ms === null ? {} : { expiresAt: toTime(row.expires_at_ms) }),
  }
}

export const listCredentials = defineRoute({
  id: 'listCredentials',
  method: 'GET',
  path,
  tag: 'credentials',
  summary: 'Lists the keys of a consumer, without the keys themselves.',
  permission: 'credentials.read',
  effect: 'read',
  params,
  query: inEnvironment,
  output: z.strictObject({ items: z.array(view) }),
  async handle({ control, db, workspace, params: { consumer }, query }) {
    const owner = await getConsumer(db, workspace.id, consumer, query.environment)
    const rows = await db
      .selectFrom('credentials')
      .selectAll()
      .where('consumer_id', '=', owner.id)
      .orderBy('name')
      .execute()
    return { body: { items: rows.map((row) => toView(row, control.clock.now())) } }
  },
})

export const createCredential = defineRoute({
  id: 'createCredential',
  method: 'POST',
  path,
  tag: 'credentials',
  summary: 'Gives a consumer a key: a new one, shown once, or an existing one by its hash.',
  permission: 'credentials.write',
  effect: 'create',
  params,
  query: inEnvironment,
  body: z.strictObject({
    name: name({ title: 'Name', description: 'Names the key in logs.' }),
    hash: z
      .string()
      .regex(/^[0-9A-Fa-f]{64}$/, 'the SHA-256 of the key as 64 hex digits')
      .optional()
      .meta({ description: 'SHA-256 of a key that exists already. Absent: a new key is made.' }),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
    expireOthersAfterSeconds: z
      .int()
      .min(0)
      .max(31_536_000)
      .optional()
      .meta({ description: 'Rotation: the other keys of the consumer expire after so long.' }),
  }),
  output: view.extend({ key: z.string().optional().meta({ description: 'The new key; nobody can read it again.' }) }),
  async handle(call) {
    const { control, workspace, body, query } = call
    const expiresAtMs = body.expiresAt === undefined ? null : Date.parse(body.expiresAt)
    const nowMs = control.clock.now()
    if (expiresAtMs !== null && expiresAtMs <= nowMs) {
      refuse(invalid({ errors: [{ pointer: '/expiresAt', detail: 'lies in the past' }] }))
    }
    return call.write(async (write) => {
      const owner = await getConsumer(write.db, workspace.id, call.params.consumer, query.environment)
      const { credential, key } = newCredential(control, owner, { name: body.name, hash: body.hash, expiresAtMs })
      await insertCredential(write.db, credential)
      if (body.expireOthersAfterSeconds !== undefined) {
        await expireOthers(write.db, credential, nowMs + body.expireOthersAfterSeconds * 1000)
      }
      await publish(call, write, owner)
      write.note({ kind: 'credential', id: credential.id, name: `${owner.name}/${credential.name}` })
      return { status: 201, body: { ...toView(credential, nowMs), ...(key === undefined ? {} : { key }) } }
    })
  },
})

export const revokeCredential = defineRoute({
  id: 'revokeCredential',
  method: 'POST',
  path: `${path}/{name}/revoke`,
  tag: 'credentials',
  summary: 'Revokes a key; the gateways refuse it within a second.',
  permission: 'credentials.write',
  effect: 'action',
  params: params.extend({ name: z.string().max(200) }),
  query: inEnvironment,
  output: view,
  async handle(call) {
    const {
      control,
      workspace,
      params: { consumer, name: key },
      query,
    } = call
    return call.write(async (write) => {
      const owner = await getConsumer(write.db, workspace.id, consumer, query.environment)
      const nowMs = control.clock.now()
      const row = await write.db
        .updateTable('credentials')
        .set((expression) => ({
          revoked_at_ms: nowMs,
          updated_at_ms: nowMs,
          version: expression('version', '+', 1),
        }))
        .where('consumer_id', '=', owner.id)
        .where('name', '=', key)
        .returningAll()
        .executeTakeFirst()
      if (row === undefined) return refuse(notFound({ detail: `There is no key ${JSON.stringify(key)}.` }))
      await rememberEnds(write.db, [row], { ends_at_ms: nowMs, is_revoked: 1 })
      await publish(call, write, owner)
      write.note({ kind: 'credential', id: row.id, name: `${owner.name}/${key}` })
      return { body: toView(row, nowMs) }
    })
  },
})

function getConsumer(
  db: Kysely<Tables>,
  workspaceId: string,
  consumer: string,
  environment: string | undefined,
): Promise<Resource> {
  return getResource(db, { workspaceId, kind: 'consumer', parentId: '' }, consumer, environment)
}

async function expireOthers(db: Kysely<Tables>, { id, consumer_id: owner }: Credential, atMs: number): Promise<void> {
  const expired = await db
    .updateTable('credentials')
    .set((expression) => ({ expires_at_ms: atMs, version: expression('version', '+', 1) }))
    .where('consumer_id', '=', owner)
    .where('id', '<>', id)
    .where('revoked_at_ms', 'is', null)
    .where((where) => where.or([where('expires_at_ms', 'is', null), where('expires_at_ms', '>', atMs)]))
    .returning(['workspace_id', 'hash'])
    .execute()
  await rememberEnds(db, expired, { ends_at_ms: atMs, is_revoked: 0 })
}

async function publish({ control, workspace }: Call, write: Write, owner: Resource): Promise<void> {
  await publishResources({ control, workspace, write }, consumerPart, [owner])
}
