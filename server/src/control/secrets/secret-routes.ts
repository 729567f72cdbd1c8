/** Secrets of a workspace: named values that documents refer to. They go in and to the gateways, and never come out. */
import { z } from 'zod'
import { refuse } from '../control-error.ts'
import { defineRoute } from '../define-route.ts'
import { guarded } from '../environments/check-guarded.ts'
import { inUse, taken } from '../problems.ts'
import { listQuery, pageOf } from '../resources/paging.ts'
import {
  checkVersion,
  findResource,
  getResource,
  listResources,
  removeResource,
  type Resource,
  type Shelf,
} from '../resources/resource-store.ts'
import { toTime } from '../resources/resource-view.ts'
import { nameUse, republishUses } from './secret-uses.ts'
import { hasValue, writeSecret } from './secret-values.ts'

const path = '/workspaces/{workspace}/secrets'
const params = z.strictObject({ name: z.string().max(200) })

const name = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, `.`, `_` and `-`, the first one a letter or digit')
  .meta({ description: 'Documents refer to the secret as `${secret:NAME}`.' })

const value = z
  .string()
  .min(1)
  .max(65_536)
  .meta({ description: 'The value, which nobody can read again.', secret: true })

const view = z.strictObject({
  name: z.string(),
  hasValue: z.boolean(),
  revision: z.int().meta({ description: 'Grows with every change; the number in the ETag.' }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime().meta({ description: 'When its value changed last.' }),
  updatedBy: z.string(),
})

function toView(row: Resource): z.input<typeof view> {
  return {
    name: row.name,
    hasValue: hasValue(row),
    revision: row.version,
    createdAt: toTime(row.created_at_ms),
    updatedAt: toTime(row.updated_at_ms),
    updatedBy: row.updated_by,
  }
}

function toShelf(workspaceId: string): Shelf {
  return { workspaceId, kind: 'secret', parentId: '' }
}

export const listSecrets = defineRoute({
  id: 'listSecrets',
  method: 'GET',
  path,
  tag: 'secrets',
  summary: 'Lists secrets, without their values.',
  permission: 'secrets.read',
  effect: 'read',
  query: listQuery.omit({ environment: true }),
  output: pageOf(view),
  async handle({ db, workspace, query }) {
    const { rows, next } = await listResources(db, toShelf(workspace.id), query)
    return { body: { items: rows.map(toView), next } }
  },
})

export const getSecret = defineRoute({
  id: 'getSecret',
  method: 'GET',
  path: `${path}/{name}`,
  tag: 'secrets',
  summary: 'Shows a secret, without its value.',
  permission: 'secrets.read',
  effect: 'read',
  params,
  output: view,
  async handle({ db, workspace, params: { name: secret } }) {
    const row = await getResource(db, toShelf(workspace.id), secret)
    return { body: toView(row), etag: row.version }
  },
})

export const createSecret = defineRoute({
  id: 'createSecret',
  method: 'POST',
  path,
  tag: 'secrets',
  summary: 'Creates a secret with its value.',
  permission: 'secrets.write',
  effect: 'create',
  body: z.strictObject({ name, value }),
  output: view,
  async handle(call) {
    const { control, workspace, actor, body } = call
    return call.write(async (write) => {
      const shelf = toShelf(workspace.id)
      if ((await findResource(write.db, shelf, body.name)) !== undefined) {
        refuse(taken({ detail: `There is a secret ${JSON.stringify(body.name)} already.` }))
      }
      await writeSecret(write.db, control, workspace, body, actor.id)
      const row = await getResource(write.db, shelf, body.name)
      write.note({ kind: 'secret', id: row.id, name: row.name })
      return { status: 201, body: toView(row), etag: row.version }
    })
  },
})

export const setSecret = defineRoute({
  id: 'setSecret',
  method: 'PUT',
  path: `${path}/{name}`,
  tag: 'secrets',
  summary: 'Gives a secret a new value, with which all that refers to it reaches the gateways anew.',
  permission: 'secrets.write',
  effect: 'change',
  params,
  body: z.strictObject({ value }),
  output: view,
  problems: [guarded],
  async handle(call) {
    const { control, workspace, actor, body } = call
    return call.write(async (write) => {
      const shelf = toShelf(workspace.id)
      const before = await getResource(write.db, shelf, call.params.name)
      checkVersion(before, call.expectedVersion)
      await writeSecret(write.db, control, workspace, { name: before.name, value: body.value }, actor.id)
      await republishUses(call, write, before.name)
      const after = await getResource(write.db, shelf, before.name)
      write.note({ kind: 'secret', id: after.id, name: after.name })
      return { body: toView(after), etag: after.version }
    })
  },
})

export const removeSecret = defineRoute({
  id: 'removeSecret',
  method: 'DELETE',
  path: `${path}/{name}`,
  tag: 'secrets',
  summary: 'Removes a secret that nothing live refers to.',
  permission: 'secrets.write',
  effect: 'remove',
  params,
  async handle(call) {
    const { workspace } = call
    return call.write(async (write): Promise<{ status: number }> => {
      const row = await getResource(write.db, toShelf(workspace.id), call.params.name)
      const use = await nameUse(write.db, workspace, row.name)
      if (use !== undefined) refuse(inUse({ detail: use }))
      await removeResource(write.db, row, call.expectedVersion)
      write.note({ kind: 'secret', id: row.id, name: row.name })
      return { status: 204 }
    })
  },
})
