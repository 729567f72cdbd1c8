/** Workspaces: the tenants of an installation. Nothing of one is seen from another. */
import type { Selectable } from 'kysely'
import { z } from 'zod'
import { name } from '../../config/schema/quantities.ts'
import { isJsonObject } from '../../kernel/json.ts'
import type { WorkspaceTable } from '../../db/tables.ts'
import { may, maySee } from '../actor.ts'
import { refuse } from '../control-error.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { guarded } from '../environments/check-guarded.ts'
import { inUse, taken } from '../problems.ts'
import { patchByReplace } from '../resources/patch-by-replace.ts'
import { checkVersion } from '../resources/resource-store.ts'
import { toTime } from '../resources/resource-view.ts'
import { documentsBusy, rulesetRefused } from '../documents/document-problems.ts'
import { checkRuleset } from '../documents/check-ruleset.ts'
import { checkDocument } from '../snapshots/compile-lines.ts'
import { DEFAULT_WORKSPACE } from '../snapshots/snapshot-names.ts'
import { writeWorkspacePolicies } from './workspace-policies.ts'
import { workspaceSettings } from './workspace-settings.ts'

type Workspace = Selectable<WorkspaceTable>

const title = z.string().max(200).default('').meta({ title: 'Title', description: 'What people call it.' })

const view = z.strictObject({
  id: z.string(),
  name: z.string(),
  title: z.string(),
  settings: z.looseObject({}),
  revision: z.int().meta({ description: 'Grows with every change; the number in the ETag.' }),
  createdAt: z.iso.datetime(),
})

function toView(row: Workspace): z.input<typeof view> {
  const settings: unknown = JSON.parse(row.settings)
  return {
    id: row.id,
    name: row.name,
    title: row.title,
    settings: isJsonObject(settings) ? { ...settings } : {},
    revision: row.version,
    createdAt: toTime(row.created_at_ms),
  }
}

const listedSettings = view.shape.settings
  .optional()
  .meta({ description: 'Of the workspaces in which the caller has the permission `workspace.read`.' })

export const listWorkspaces = defineRoute({
  id: 'listWorkspaces',
  method: 'GET',
  path: '/workspaces',
  tag: 'workspaces',
  summary: 'Lists the workspaces that the caller may see.',
  permission: { door: 'signed-in' },
  effect: 'read',
  output: z.strictObject({ items: z.array(view.extend({ settings: listedSettings })) }),
  async handle({ db, actor }) {
    const rows = await db.selectFrom('workspaces').selectAll().orderBy('name').execute()
    const items = rows
      .filter(({ id }) => maySee(actor, id))
      .map((row) => {
        const { settings, ...facts } = toView(row)
        return may(actor, 'workspace.read', row.id) ? { ...facts, settings } : facts
      })
    return { body: { items } }
  },
})

export const createWorkspace = defineRoute({
  id: 'createWorkspace',
  method: 'POST',
  path: '/workspaces',
  tag: 'workspaces',
  summary: 'Creates a workspace.',
  permission: 'workspaces.write',
  effect: 'create',
  body: z.strictObject({
    name: name({ title: 'Name', description: 'Name of the workspace, as paths have it.' }),
    title,
  }),
  output: view,
  async handle(call) {
    const { control, body } = call
    return call.write(async (write) => {
      const known = await write.db
        .selectFrom('workspaces')
        .select('id')
        .where('name', '=', body.name)
        .executeTakeFirst()
      if (known !== undefined) refuse(taken({ detail: `There is a workspace ${JSON.stringify(body.name)} already.` }))
      const nowMs = control.clock.now()
      const row: Workspace = {
        id: control.newId('workspace'),
        ...body,
        settings: '{}',
        version: 1,
        created_at_ms: nowMs,
        updated_at_ms: nowMs,
      }
      await write.db.insertInto('workspaces').values(row).execute()
      write.note({ kind: 'workspace', id: row.id, name: row.name, after: { title: row.title } })
      return { status: 201, body: toView(row), etag: row.version }
    })
  },
})

export const getWorkspace = defineRoute({
  id: 'getWorkspace',
  method: 'GET',
  path: '/workspaces/{workspace}',
  tag: 'workspaces',
  summary: 'Shows a workspace.',
  permission: 'workspace.read',
  effect: 'read',
  output: view,
  async handle({ db, workspace }) {
    const row = await readWorkspace(db, workspace.id)
    return { body: toView(row), etag: row.version }
  },
})

export const replaceWorkspace = defineRoute({
  id: 'replaceWorkspace',
  method: 'PUT',
  path: '/workspaces/{workspace}',
  tag: 'workspaces',
  summary: 'Changes the title of a workspace and what it gives to all its APIs, which are deployed anew with it.',
  permission: 'workspace.write',
  effect: 'change',
  body: z.strictObject({ title, settings: workspaceSettings }),
  output: view,
  problems: [rulesetRefused, documentsBusy, guarded],
  async handle(call) {
    const { control, workspace, body, given } = call
    const written = isJsonObject(given) && isJsonObject(given['settings']) ? given['settings'] : {}
    const policies = Array.isArray(written['policies']) ? written['policies'] : []
    checkDocument(control, { policies })
    const { lint, breakingChanges } = body.settings
    await checkRuleset(call, lint.ruleset)
    return call.write(async (write) => {
      const before = await readWorkspace(write.db, workspace.id)
      checkVersion(before, call.expectedVersion)
      await writeWorkspacePolicies(call, write, policies)
      const { version, settings: known } = await readWorkspace(write.db, workspace.id)
      // Their secrets have become references by now, so they are not taken from the body.
      const { policies: kept } = toView({ ...before, settings: known }).settings
      const settings = JSON.stringify({ policies: kept, lint, breakingChanges })
      const changes = { title: body.title, settings, version: version + 1, updated_at_ms: control.clock.now() }
      await write.db.updateTable('workspaces').set(changes).where('id', '=', workspace.id).execute()
      const after = await readWorkspace(write.db, workspace.id)
      write.note({ kind: 'workspace', id: before.id, name: before.name, before: toNote(before), after: toNote(after) })
      return { body: toView(after), etag: after.version }
    })
  },
})

export const patchWorkspace = patchByReplace({
  id: 'patchWorkspace',
  summary: 'Changes what a JSON Merge Patch (RFC 7396) names of a workspace; its APIs are deployed anew with it.',
  replace: replaceWorkspace,
  async read({ db, workspace }) {
    const { title: text, settings, version } = await readWorkspace(db, workspace.id)
    return { document: { title: text, settings: JSON.parse(settings) }, version }
  },
})

export const removeWorkspace = defineRoute({
  id: 'removeWorkspace',
  method: 'DELETE',
  path: '/workspaces/{workspace}',
  tag: 'workspaces',
  summary: 'Removes an empty workspace.',
  permission: 'workspaces.write',
  effect: 'remove',
  async handle(call) {
    const { workspace } = call
    if (workspace.name === DEFAULT_WORKSPACE) refuse(inUse({ detail: 'The default workspace stays.' }))
    return call.write(async (write): Promise<{ status: number }> => {
      const before = await readWorkspace(write.db, workspace.id)
      checkVersion(before, call.expectedVersion)
      const left = await write.db
        .selectFrom('resources')
        .select(['kind', 'name'])
        .where('workspace_id', '=', workspace.id)
        .executeTakeFirst()
      if (left !== undefined)
        refuse(inUse({ detail: `It has the ${left.kind} ${left.name}. Remove what is in it first.` }))
      // What was live once; the audit keeps who did what.
      await write.db.deleteFrom('deployments').where('workspace_id', '=', workspace.id).execute()
      await write.db.deleteFrom('revisions').where('workspace_id', '=', workspace.id).execute()
      await write.db.deleteFrom('bindings').where('workspace_id', '=', workspace.id).execute()
      await write.db.deleteFrom('teams').where('workspace_id', '=', workspace.id).execute()
      await write.db.deleteFrom('roles').where('workspace_id', '=', workspace.id).execute()
      await write.db.deleteFrom('workspaces').where('id', '=', workspace.id).execute()
      write.note({ kind: 'workspace', id: before.id, name: before.name, before: toNote(before) })
      return { status: 204 }
    })
  },
})

function toNote({ title: text, settings }: Workspace) {
  return { title: text, settings }
}

function readWorkspace(db: Call['db'], id: string): Promise<Workspace> {
  return db.selectFrom('workspaces').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}
