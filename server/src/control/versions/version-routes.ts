/** Drafts of versions: what is written here is live only when a revision of it has been deployed. */
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../../kernel/json.ts'
import { defineRoute, type Call, type Write } from '../define-route.ts'
import { refuse } from '../control-error.ts'
import { inUse, invalid } from '../problems.ts'
import { listQuery, pageOf } from '../resources/paging.ts'
import {
  checkVersion as checkIfMatch,
  getResource,
  insertResource,
  listResources,
  removeResource,
  replaceResource,
  type Resource,
} from '../resources/resource-store.ts'
import { resourceFacts, toResourceNote, toResourceView } from '../resources/resource-view.ts'
import { extractSecrets } from '../resources/secret-references.ts'
import { writeSecret } from '../secrets/secret-values.ts'
import { checkVersion } from './compile-version.ts'
import { version } from './version-schema.ts'
import { draftOf, getVersion, readBlob, writeBlob } from './version-store.ts'

const apiParams = z.strictObject({ api: z.string().max(200) })
const params = z.strictObject({ api: z.string().max(200), version: z.string().max(200) })

/** 32 MiB: the largest public documents have about 20. */
const MOST_DOCUMENT_BYTES = 32 * 1024 * 1024

const body = z.strictObject({
  settings: version,
  document: z
    .union([z.string().min(1), z.looseObject({})])
    .optional()
    .meta({ description: 'The OpenAPI document, as text (JSON or YAML) or as an object. Absent: it stays as it is.' }),
})

const view = z.strictObject({
  ...resourceFacts,
  api: z.string(),
  settings: z.looseObject({ name: z.string() }),
  specHash: z.string().optional().meta({ description: 'SHA-256 of the OpenAPI document.' }),
  shows: z.literal('draft').meta({ description: 'What is live is shown by deployments.' }),
})

function toView(api: Resource, row: Resource): z.input<typeof view> {
  const { spec: _, ...facts } = toResourceView(row)
  const { settings, specHash } = draftOf(row)
  return { ...facts, api: api.name, settings: { name: row.name, ...settings }, specHash, shows: 'draft' }
}

export const listVersions = defineRoute({
  id: 'listVersions',
  method: 'GET',
  path: '/workspaces/{workspace}/apis/{api}/versions',
  tag: 'versions',
  summary: 'Lists the versions of an API.',
  permission: 'apis.read',
  effect: 'read',
  params: apiParams,
  query: listQuery,
  output: pageOf(view),
  async handle({ db, workspace, params: { api: name }, query }) {
    const api = await getResource(db, { workspaceId: workspace.id, kind: 'api', parentId: '' }, name)
    const shelf = { workspaceId: workspace.id, kind: 'version', parentId: api.id }
    const { rows, next } = await listResources(db, shelf, query)
    return { body: { items: rows.map((row) => toView(api, row)), next } }
  },
})

export const getVersionRoute = defineRoute({
  id: 'getVersion',
  method: 'GET',
  path: '/workspaces/{workspace}/apis/{api}/versions/{version}',
  tag: 'versions',
  summary: 'Shows the draft of a version.',
  permission: 'apis.read',
  effect: 'read',
  params,
  output: view,
  async handle(call) {
    const { api, row } = await getVersion(call.db, call.workspace, call.params)
    return { body: toView(api, row), etag: row.version }
  },
})

export const createVersion = defineRoute({
  id: 'createVersion',
  method: 'POST',
  path: '/workspaces/{workspace}/apis/{api}/versions',
  tag: 'versions',
  summary: 'Creates a version of an API, as a draft.',
  permission: 'apis.write',
  effect: 'create',
  params: apiParams,
  body,
  maxBodyBytes: MOST_DOCUMENT_BYTES,
  output: view,
  async handle(call) {
    const { workspace } = call
    const draft = readDraft(call)
    checkVersion(call.control, { api: call.params.api, version: draft.name, ...draft })
    return call.write(async (write) => {
      const shelf = { workspaceId: workspace.id, kind: 'api', parentId: '' }
      const api = await getResource(write.db, shelf, call.params.api)
      const row = await insertVersion({ call, write, api, draft })
      return { status: 201, body: toView(api, row), etag: row.version }
    })
  },
})

export const replaceVersion = defineRoute({
  id: 'replaceVersion',
  method: 'PUT',
  path: '/workspaces/{workspace}/apis/{api}/versions/{version}',
  tag: 'versions',
  summary: 'Replaces the draft of a version.',
  permission: 'apis.write',
  effect: 'change',
  params,
  body,
  maxBodyBytes: MOST_DOCUMENT_BYTES,
  output: view,
  async handle(call) {
    const { api: apiName, version: versionName } = call.params
    const given = readDraft(call)
    if (given.name !== versionName) {
      refuse(invalid({ errors: [{ pointer: '/settings/name', detail: 'differs from the version in the path' }] }))
    }
    const { row: known } = await getVersion(call.db, call.workspace, call.params)
    checkIfMatch(known, call.expectedVersion)
    const { specHash } = draftOf(known)
    const spec = given.spec ?? (specHash === undefined ? undefined : await readBlob(call.db, specHash))
    checkVersion(call.control, { api: apiName, version: versionName, settings: given.settings, spec })
    return call.write(async (write) => {
      const { api, row } = await getVersion(write.db, call.workspace, call.params)
      const after = await updateVersion({ call, write, api, draft: given }, row)
      return { body: toView(api, after), etag: after.version }
    })
  },
})

export const removeVersion = defineRoute({
  id: 'removeVersion',
  method: 'DELETE',
  path: '/workspaces/{workspace}/apis/{api}/versions/{version}',
  tag: 'versions',
  summary: 'Removes a version that is deployed nowhere.',
  permission: 'apis.write',
  effect: 'remove',
  params,
  async handle(call) {
    return call.write(async (write): Promise<{ status: number }> => {
      const { row } = await getVersion(write.db, call.workspace, call.params)
      const live = await write.db
        .selectFrom('deployments')
        .select('environment')
        .where('version_id', '=', row.id)
        .where('state', 'in', ['active', 'progressing'])
        .executeTakeFirst()
      if (live !== undefined) refuse(inUse({ detail: `It is live in ${live.environment}. Retire it there first.` }))
      await removeResource(write.db, row, call.expectedVersion)
      write.note(toResourceNote(row, undefined))
      return { status: 204 }
    })
  },
})

/** A draft as it was sent: without the defaults of the schema. */
export interface GivenDraft {
  readonly name: string
  readonly settings: JsonObject
  /** The document as text; undefined: the one that is there stays. */
  readonly spec: string | undefined
}

function readDraft({ given }: Call): GivenDraft {
  if (!isJsonObject(given) || !isJsonObject(given['settings'])) throw new TypeError('the schema asks for settings')
  const { settings, document } = given
  const { name } = settings
  if (typeof name !== 'string') throw new TypeError('the schema asks for a name')
  const spec = document === undefined || typeof document === 'string' ? document : JSON.stringify(document)
  return { name, settings, spec }
}

export interface DraftParts {
  readonly call: Pick<Call, 'control' | 'actor' | 'workspace' | 'expectedVersion'>
  readonly write: Write
  readonly api: Resource
  readonly draft: GivenDraft
  /** Who manages it as code; undefined leaves that as it is. */
  readonly source?: string
}

export async function insertVersion(parts: DraftParts): Promise<Resource> {
  const { call, write, api, draft, source = '' } = parts
  const nowMs = call.control.clock.now()
  const row: Resource = {
    id: call.control.newId('version'),
    workspace_id: call.workspace.id,
    kind: 'version',
    parent_id: api.id,
    environment: '',
    name: draft.name,
    spec: await toStored(parts, undefined),
    search: `${api.name} ${draft.name}`.toLowerCase(),
    source,
    updated_by: call.actor.id,
    version: 1,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  }
  await insertResource(write.db, row)
  write.note(toResourceNote(undefined, row))
  return row
}

export async function updateVersion(parts: DraftParts, before: Resource): Promise<Resource> {
  const { call, write, source } = parts
  const changes = {
    spec: await toStored(parts, draftOf(before).specHash),
    updated_by: call.actor.id,
    updated_at_ms: call.control.clock.now(),
    ...(source === undefined ? {} : { source }),
  }
  const after = await replaceResource(write.db, before, changes, call.expectedVersion)
  write.note(toResourceNote(before, after))
  return after
}

async function toStored({ call, write, api, draft }: DraftParts, knownHash: string | undefined): Promise<string> {
  const { control, workspace, actor } = call
  const owner = `apis.${api.name}.${draft.name}`
  const { document: settings, secrets } = extractSecrets(draft.settings, version, control.policies, owner)
  for (const secret of secrets) await writeSecret(write.db, control, workspace, secret, actor.id)
  const specHash = draft.spec === undefined ? knownHash : await writeBlob(write.db, draft.spec)
  return JSON.stringify({ settings, specHash })
}
