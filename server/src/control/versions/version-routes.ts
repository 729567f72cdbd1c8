/** Drafts of versions: what is written here is live only when a revision of it has been deployed. */
import { z } from 'zod'
import { isJsonObject } from '../../kernel/json.ts'
import { defineRoute, type Call } from '../define-route.ts'
import { refuse } from '../control-error.ts'
import { LIVE_STATES } from '../deployments/deployment-store.ts'
import { documentRefused, documentsBusy, workspaceFull } from '../documents/document-problems.ts'
import { importText } from '../documents/import-text.ts'
import { inUse, invalid } from '../problems.ts'
import { listQuery, pageOf } from '../resources/paging.ts'
import { patchByReplace } from '../resources/patch-by-replace.ts'
import {
  checkVersion as checkIfMatch,
  getResource,
  listResources,
  removeResource,
  type Resource,
} from '../resources/resource-store.ts'
import { resourceFacts, toResourceNote, toResourceView } from '../resources/resource-view.ts'
import { checkVersion } from './compile-version.ts'
import { version } from './version-schema.ts'
import { insertVersion, updateVersion, type GivenDraft } from './version-drafts.ts'
import { draftOf, getVersion, readBlob } from './version-store.ts'

const apiParams = z.strictObject({ api: z.string().max(200) })
const params = z.strictObject({ api: z.string().max(200), version: z.string().max(200) })

/** The largest public documents have about 50 MB, and inside of JSON every quote of theirs takes two bytes. */
const MOST_DOCUMENT_BYTES = 96 * 1024 * 1024

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
  problems: [documentRefused, documentsBusy, workspaceFull],
  async handle(call) {
    const { workspace } = call
    const draft = await readDraft(call)
    await checkVersion(call, { api: call.params.api, version: draft.name, ...draft })
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
  problems: [documentRefused, documentsBusy, workspaceFull],
  async handle(call) {
    const { api: apiName, version: versionName } = call.params
    const given = await readDraft(call)
    if (given.name !== versionName) {
      refuse(invalid({ errors: [{ pointer: '/settings/name', detail: 'differs from the version in the path' }] }))
    }
    const { row: known } = await getVersion(call.db, call.workspace, call.params)
    checkIfMatch(known, call.expectedVersion)
    const { specHash } = draftOf(known)
    const spec = given.spec ?? (specHash === undefined ? undefined : await readBlob(call.db, specHash))
    await checkVersion(call, { api: apiName, version: versionName, settings: given.settings, spec })
    return call.write(async (write) => {
      const { api, row } = await getVersion(write.db, call.workspace, call.params)
      const after = await updateVersion({ call, write, api, draft: given }, row)
      return { body: toView(api, after), etag: after.version }
    })
  },
})

export const patchVersion = patchByReplace({
  id: 'patchVersion',
  summary: 'Changes what a JSON Merge Patch (RFC 7396) names of the draft of a version.',
  replace: replaceVersion,
  body: z.strictObject({
    settings: z.unknown().optional(),
    // An object would be laid over the document that is there, and a `null` of an example would take away the example.
    document: z.string().min(1).optional().meta({
      description: 'The OpenAPI document as text (JSON or YAML), which takes the place of the one that is there.',
    }),
  }),
  async read({ db, workspace, params: wanted }) {
    const { row } = await getVersion(db, workspace, params.parse(wanted))
    return { document: { settings: { name: row.name, ...draftOf(row).settings } }, version: row.version }
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
        .where('state', 'in', LIVE_STATES)
        .executeTakeFirst()
      if (live !== undefined) refuse(inUse({ detail: `It is live in ${live.environment}. Retire it there first.` }))
      await removeResource(write.db, row, call.expectedVersion)
      write.note(toResourceNote(row, undefined))
      return { status: 204 }
    })
  },
})

async function readDraft(call: Call): Promise<GivenDraft> {
  const { given } = call
  if (!isJsonObject(given) || !isJsonObject(given['settings'])) throw new TypeError('the schema asks for settings')
  const { settings, document } = given
  const { name } = settings
  if (typeof name !== 'string') throw new TypeError('the schema asks for a name')
  const text = document === undefined || typeof document === 'string' ? document : JSON.stringify(document)
  const spec = text === undefined ? undefined : (await importText(call, text)).text
  return { name, settings, spec, keepsSpec: true }
}
