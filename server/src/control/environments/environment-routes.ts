/** Environments: where revisions run. All workspaces have the same ones. */
import { z } from 'zod'
import { name } from '../../config/schema/quantities.ts'
import { may, type Actor } from '../actor.ts'
import { refuse } from '../control-error.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { forbidden, taken } from '../problems.ts'
import { patchByReplace } from '../resources/patch-by-replace.ts'
import { checkVersion } from '../resources/resource-store.ts'
import { toTime } from '../resources/resource-view.ts'
import { publishGatewaySettings } from './gateway-settings.ts'
import { publishShared } from './publish-shared.ts'
import { readEnvironment, type Environment } from './read-environment.ts'

const facts = {
  title: z.string().max(200).default('').meta({ title: 'Title', description: 'What people call it.' }),
  needsApproval: z.boolean().default(false).meta({
    title: 'Needs approval',
    description:
      'A deployment waits until somebody other than its author approves it, and what else changes what runs there takes the right to approve. Only owners turn it off.',
  }),
  testKeys: z.boolean().default(false).meta({
    title: 'Test keys',
    description: 'Whether keys to try APIs with may be made for it. Leave it off in production.',
  }),
}

const view = z.strictObject({
  id: z.string(),
  name: z.string(),
  title: z.string(),
  isDefault: z.boolean(),
  needsApproval: z.boolean(),
  testKeys: z.boolean(),
  snapshot: z.strictObject({ seq: z.int(), root: z.string() }).optional(),
  revision: z.int(),
  createdAt: z.iso.datetime(),
})

function toView({ control }: Pick<Call, 'control'>, row: Environment): z.input<typeof view> {
  const published = control.feed.current(row.name)
  return {
    id: row.id,
    name: row.name,
    title: row.title,
    isDefault: row.is_default === 1,
    needsApproval: row.needs_approval === 1,
    testKeys: row.test_keys === 1,
    ...(published === undefined ? {} : { snapshot: { seq: published.seq, root: published.root } }),
    revision: row.version,
    createdAt: toTime(row.created_at_ms),
  }
}

const params = z.strictObject({ environment: z.string().max(100) })

export const listEnvironments = defineRoute({
  id: 'listEnvironments',
  method: 'GET',
  path: '/environments',
  tag: 'environments',
  summary: 'Lists the environments.',
  permission: { door: 'signed-in' },
  effect: 'read',
  output: z.strictObject({ items: z.array(view) }),
  async handle(call) {
    const rows = await call.db.selectFrom('environments').selectAll().orderBy('name').execute()
    return { body: { items: rows.map((row) => toView(call, row)) } }
  },
})

export const createEnvironment = defineRoute({
  id: 'createEnvironment',
  method: 'POST',
  path: '/environments',
  tag: 'environments',
  summary: 'Creates an environment, with everything in it that is for all environments.',
  permission: 'environments.write',
  effect: 'create',
  body: z.strictObject({ name: name({ title: 'Name', description: 'Such as staging.' }), ...facts }),
  output: view,
  async handle(call) {
    const { control, body } = call
    return call.write(async (write) => {
      const known = await write.db
        .selectFrom('environments')
        .select('id')
        .where('name', '=', body.name)
        .executeTakeFirst()
      if (known !== undefined)
        refuse(taken({ detail: `There is an environment ${JSON.stringify(body.name)} already.` }))
      const nowMs = control.clock.now()
      const row: Environment = {
        id: control.newId('environment'),
        name: body.name,
        title: body.title,
        is_default: 0,
        needs_approval: body.needsApproval ? 1 : 0,
        test_keys: body.testKeys ? 1 : 0,
        snapshot_seq: 0,
        gateway: '{}',
        places: '{}',
        version: 1,
        created_at_ms: nowMs,
        updated_at_ms: nowMs,
      }
      await write.db.insertInto('environments').values(row).execute()
      await publishGatewaySettings(control, write, row)
      await publishShared(call, write, body.name)
      write.note({ kind: 'environment', id: row.id, name: row.name, after: toNote(row) })
      return { status: 201, body: toView(call, row), etag: row.version }
    })
  },
})

export const replaceEnvironment = defineRoute({
  id: 'replaceEnvironment',
  method: 'PUT',
  path: '/environments/{environment}',
  tag: 'environments',
  summary:
    'Changes the title of an environment, whether deployments to it need approval, and whether it allows test keys.',
  permission: 'environments.write',
  effect: 'change',
  params,
  body: z.strictObject(facts),
  output: view,
  async handle(call) {
    const { control, body } = call
    return call.write(async (write) => {
      const before = await readEnvironment(write.db, call.params.environment)
      checkVersion(before, call.expectedVersion)
      if (!body.needsApproval) checkUnguards(call.actor, before)
      const changes = {
        title: body.title,
        needs_approval: body.needsApproval ? 1 : 0,
        test_keys: body.testKeys ? 1 : 0,
        version: before.version + 1,
        updated_at_ms: control.clock.now(),
      }
      await write.db.updateTable('environments').set(changes).where('id', '=', before.id).execute()
      const note = { kind: 'environment', id: before.id, name: before.name }
      write.note({
        ...note,
        before: toNote(before),
        after: toNote({ ...before, ...changes }),
      })
      return { body: toView(call, { ...before, ...changes }), etag: changes.version }
    })
  },
})

export const patchEnvironment = patchByReplace({
  id: 'patchEnvironment',
  summary: 'Changes what a JSON Merge Patch (RFC 7396) names of an environment.',
  replace: replaceEnvironment,
  async read({ db, params: wanted }) {
    const row = await readEnvironment(db, params.parse(wanted).environment)
    return { document: toNote(row), version: row.version }
  },
})

/**
 * Who runs what is published could put the guard away, deploy and put it back; so this takes the right over the ways of
 * signing in, which of the built-in roles owners alone have. Removing the environment would be the same with more steps.
 */
export function checkUnguards(actor: Actor, { needs_approval: needsApproval }: Environment): void {
  if (needsApproval === 0 || may(actor, 'access.write', '')) return
  refuse(forbidden({ detail: 'Only an owner ends the need for approval: this needs the permission access.write.' }))
}

function toNote({ title, needs_approval: needsApproval, test_keys: testKeys }: Environment) {
  return { title, needsApproval: needsApproval === 1, testKeys: testKeys === 1 }
}
